package dispatcher

import (
	"context"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
)

// holdAll is a pace at which no push may go before release.
func holdAll(release <-chan struct{}) *fakePacer {
	return &fakePacer{may: func(ctx context.Context, _ int64) error {
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

// reapAll takes all leases of a campaign away, as another process does when they have run out.
func (w *world) reapAll(id string) {
	w.t.Helper()
	leases := "{campaign:" + id + "}:leases"
	for _, claim := range must(w.redis.ZMembers(leases))(w.t) {
		must(w.redis.ZAdd(leases, 1, claim))(w.t)
	}
	must(must(w.deps.Campaigns.Queue(id))(w.t).Reap(w.t.Context()))(w.t)
}

// Nothing is sent from a lease that Redis calls lost, although by this process's clock it still has
// two thirds of its time.
func TestLostLeaseIsNotSentFrom(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.campaign(campaign.Spec{ID: "42", OnAmbiguous: campaign.Report}, audience(4)...)
		release := make(chan struct{})
		w.deps.Pacer = holdAll(release)
		stop := w.serve(w.dispatcher())
		synctest.Wait()
		w.reapAll("42")
		<-time.After(w.options.Lease/3 + time.Millisecond) // the extender has asked
		close(release)
		synctest.Wait()
		stop()
		if b := w.books("42"); b.Unknown != 4 || !b.IsBalanced() || w.sender.total() != 0 {
			t.Errorf("sent to %v, books %+v, want nobody sent to and four unknown", w.sender.order, b)
		}
	})
}

// While Redis cannot be asked for more time, a lease is sent from until its own is over, and no
// longer.
func TestUnextendedLeaseEndsByItsOwnClock(t *testing.T) {
	for after, want := range map[time.Duration]int{DefaultOptions().Lease - time.Millisecond: 4, DefaultOptions().Lease: 0} {
		inBubble(t, func(t *testing.T, w *world) {
			w.campaignsBehind(func(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error {
				if keysOf(cmd) == "leases" {
					return io.EOF // the extender's
				}
				return next(ctx, cmd)
			})
			w.campaign(campaign.Spec{ID: "42"}, audience(4)...)
			release := make(chan struct{})
			w.deps.Pacer = holdAll(release)
			claimed := time.Now()
			stop := w.serve(w.dispatcher())
			synctest.Wait()
			if b := w.books("42"); b.InFlight != 4 {
				t.Fatalf("books %+v, want four in flight", b)
			}
			<-time.After(after - time.Since(claimed))
			w.redis.Del("{campaign:42}:spec") // what goes back is not claimed again
			close(release)
			synctest.Wait()
			stop()
			if n := w.sender.total(); n != want {
				t.Errorf("%s after the claim %d were sent to, want %d", after, n, want)
			}
		})
	}
}

// A stop waits for the newest lease: those before it have all ended unsent when its claim is
// answered. Only together do they come into the old order.
func TestStopGivesBackInTheOldOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		var claims atomic.Int64
		answer := make(chan struct{})
		w.campaignsBehind(func(ctx context.Context, cmd redis.Cmder, next redis.ProcessHook) error {
			err := next(ctx, cmd)
			if err == nil && strings.HasPrefix(keysOf(cmd), "campaign:42 back retry leases lease:") && claims.Add(1) == 3 {
				<-answer
			}
			return err
		})
		w.options.Concurrency, w.options.Claim, w.options.AckBatch = 10, 4, 1
		w.campaign(campaign.Spec{ID: "42"}, audience(40)...)
		w.deps.Pacer = holdAll(nil)
		stop := w.serve(w.dispatcher())
		synctest.Wait()
		ended := make(chan struct{})
		go func() { stop(); close(ended) }()
		<-time.After(time.Second)
		if b := w.books("42"); b.InFlight != 12 {
			t.Errorf("books %+v, want everybody in flight until the last claim is answered", b)
		}
		close(answer)
		<-ended
		w.wantWaiting("42", audience(40))
	})
}

// A pause waits for the newest lease, too, of which some are on the wire while all others have
// ended unsent.
func TestPauseGivesBackInTheOldOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.options.Concurrency, w.options.Claim, w.options.AckBatch = 20, 4, 1
		people := audience(12)
		w.campaign(campaign.Spec{ID: "42"}, people[:8]...)
		w.deps.Pacer = &fakePacer{may: func(ctx context.Context, nth int64) error {
			if nth > 8 && nth < 12 {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}}
		answer := make(chan struct{})
		w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
			<-answer
			return accepted(ctx, token)
		}
		stop := w.serve(w.dispatcher())
		synctest.Wait()
		must(w.redis.RPush("campaign:42", people[8:]...))(t)
		<-time.After(time.Second)
		if n := w.sender.total(); n != 3 {
			t.Fatalf("%d are on the wire, want three of the newest lease", n)
		}
		if err := w.deps.Campaigns.Move(t.Context(), "42", campaign.Paused, ""); err != nil {
			t.Fatal(err)
		}
		<-time.After(time.Second)
		close(answer)
		synctest.Wait()
		stop()
		left := slices.DeleteFunc(slices.Clone(people), func(element string) bool {
			return slices.ContainsFunc(w.sender.order, func(token string) bool { return strings.Contains(element, token) })
		})
		w.wantWaiting("42", left)
	})
}

// wantWaiting demands that these elements wait, in this order, and no one is in flight.
func (w *world) wantWaiting(id string, elements []string) {
	w.t.Helper()
	var want []string
	for _, element := range elements {
		want = append(want, element[len(`{"userId":"`):len(`{"userId":"u0000`)])
	}
	if left, b := w.waiting(id), w.books(id); !slices.Equal(left, want) || b.InFlight != 0 {
		w.t.Errorf("books %+v, and there wait %v, want %v", b, left, want)
	}
}

// A deadline that no producer has set gives way to the campaign's own, whichever is earlier.
func TestDeadlines(t *testing.T) {
	here, there := time.Unix(1_000_000, 0), time.Unix(2_000_000, 0)
	hour := func(n int) time.Time { return there.Add(time.Duration(n) * time.Hour) }
	for name, c := range map[string]struct {
		list     time.Time
		assumed  bool
		campaign time.Time
		want     time.Duration // 0: none
	}{
		"none":                        {},
		"the list's":                  {list: hour(2), want: 2 * time.Hour},
		"assumed":                     {list: hour(2), assumed: true, want: 2 * time.Hour},
		"the campaign's":              {campaign: hour(3), want: 3 * time.Hour},
		"the earlier":                 {list: hour(2), campaign: hour(3), want: 2 * time.Hour},
		"assumed, and the campaign's": {list: hour(2), assumed: true, campaign: hour(3), want: 3 * time.Hour},
	} {
		camp := &activeCampaign{}
		camp.settings.Store(&settings{deadline: c.campaign})
		l := &lease{camp: camp, claimedAt: here, claimedAtServer: there, expiry: c.list, assumed: c.assumed}
		var want time.Time
		if c.want > 0 {
			want = here.Add(c.want)
		}
		if got := l.deadline(); !got.Equal(want) {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
