package dispatcher

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/queue"
)

// A full batch of outcomes is written at once, however long the acker might wait for more.
func TestFullBatchIsWrittenAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.options.AckBatch, w.options.AckInterval = 10, time.Hour
		w.campaign(campaign.Spec{ID: "42"}, audience(10)...)
		stop := w.serve(w.dispatcher())
		synctest.Wait()
		if b := w.books("42"); b.Sent != 10 {
			t.Errorf("books %+v, want a batch of ten written", b)
		}
		stop()
	})
}

// Once Redis refuses an outcome for good, no one more is sent to, although the next look for
// campaigns is far away.
func TestRefusedOutcomeEndsSendingAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var refused atomic.Bool
		w.campaignsBehind(func(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error {
			if strings.HasPrefix(keysOf(cmd), "leases retry counts") && refused.CompareAndSwap(false, true) {
				return errCrossSlot
			}
			return next(ctx, cmd)
		})
		w.options.Concurrency, w.options.AckBatch, w.options.Discover = 10, 1, time.Hour
		w.campaign(campaign.Spec{ID: "42"}, audience(10)...)
		release := make(chan struct{})
		w.deps.Pacer = &fakePacer{may: func(ctx context.Context, nth int64) error {
			if nth == 1 {
				return nil
			}
			select {
			case <-release:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}}
		stop := w.serve(w.dispatcher())
		synctest.Wait()
		close(release)
		synctest.Wait()
		stop()
		if n := w.sender.total(); n != 1 || w.stateOf("42") != campaign.Paused {
			t.Errorf("%d pushes, and the campaign is %s, want one and a pause", n, w.stateOf("42"))
		}
	})
}

// What a dispatcher remembers of a campaign goes when that is served no more.
func TestEndedCampaignsAreForgotten(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		d := w.dispatcher()
		stop := w.serve(d)
		for _, id := range []string{"1", "2", "3"} {
			w.campaign(campaign.Spec{ID: id}, audience(3)...)
			<-time.After(time.Minute)
			if state := w.stateOf(id); state != campaign.Completed {
				t.Fatalf("campaign %s is %s, want completed", id, state)
			}
		}
		stop()
		if n := len(d.acker.buffers); n > 0 {
			t.Errorf("%d ledgers are kept", n)
		}
	})
}

// Outcomes that trickle in do not put off the writing of those before them.
func TestTrickleIsWritten(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.options.AckBatch, w.options.AckInterval = 100, time.Second
		w.campaign(campaign.Spec{ID: "42"}, audience(10)...)
		w.deps.Pacer = &fakePacer{may: func(ctx context.Context, nth int64) error {
			<-time.After(time.Duration(nth) * w.options.AckInterval / 2)
			return ctx.Err()
		}}
		stop := w.serve(w.dispatcher())
		<-time.After(3 * w.options.AckInterval)
		if b := w.books("42"); b.Sent < 2 {
			t.Errorf("books %+v, want the first outcomes written", b)
		}
		<-time.After(time.Minute)
		stop()
	})
}

// A campaign that waits for its outcomes to be written is claimed from again as soon as they are,
// not with the next poll.
func TestWrittenOutcomesWakeTheClaimer(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.options.AckBatch, w.options.Concurrency, w.options.Claim, w.options.Poll = 1, 10, 1, time.Hour
		w.campaign(campaign.Spec{ID: "42"}, audience(50)...)
		stop := w.serve(w.dispatcher())
		<-time.After(time.Minute)
		if b := w.books("42"); b.Sent != 50 {
			t.Errorf("books %+v, want all sent", b)
		}
		stop()
	})
}

// A page holds what can be written now; leases that go back may have to wait for others of their
// campaign.
func TestLedgerWaits(t *testing.T) {
	some := []*lease{{}}
	for name, c := range map[string]struct {
		ledger       outcomeBuffer
		now, givesUp bool // whether a page is begun, and if leases go back
	}{
		"nothing":        {outcomeBuffer{}, false, false},
		"outcomes":       {outcomeBuffer{outcomes: make([]queue.Settlement, 1)}, true, true},
		"a lease":        {outcomeBuffer{returning: some}, false, true},
		"a page already": {outcomeBuffer{returning: some, finished: some, writing: &outcomeBatch{}}, false, false},
	} {
		if now, givesUp := c.ledger.hasWork(false), c.ledger.hasWork(true); now != c.now || givesUp != c.givesUp {
			t.Errorf("%s: waits %v, and %v if leases go back", name, now, givesUp)
		}
	}
}
