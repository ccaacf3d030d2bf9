package dispatcher

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/responses"
)

// A key of another type where results belong holds a campaign up until someone fixes it, who is
// told once, and how.
func TestForwarderSaysWhatIsInTheWay(t *testing.T) {
	w := newWorld(t)
	var log strings.Builder
	w.deps.Logger = daemonLog(&log)
	w.campaign(campaign.Spec{ID: "42"}, audience(3)...)
	if err := w.redis.Set("notification:responses", "somebody's"); err != nil {
		t.Fatal(err)
	}
	d := w.dispatcher()
	stop := w.serve(d)
	w.eventually(func() bool { return w.books("42").Outbox == 3 })
	list := must(w.deps.Campaigns.Queue("42"))(t).List()
	for range 3 {
		d.forwarder.forward(t.Context(), list)
	}
	w.redis.Del("notification:responses")
	w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
	stop()
	if got := len(w.results()); got != 3 {
		t.Errorf("%d results, want 3", got)
	}
	text := log.String()
	if strings.Count(text, "results not forwarded") != 1 || !strings.Contains(text, "level=ERROR") || !strings.Contains(text, "rename or delete it") {
		t.Errorf("the log says\n%s", text)
	}
}

// clustered reaches the world's Redis as a cluster of one node, where results go through the
// outbox.
func (w *world) clustered(hooks ...redis.Hook) {
	w.t.Helper()
	rdb := redis.NewClusterClient(&redis.ClusterOptions{
		Dialer: w.dial.Dialer,
		ClusterSlots: func(context.Context) ([]redis.ClusterSlot, error) {
			return []redis.ClusterSlot{{End: 16383, Nodes: []redis.ClusterNode{{Addr: w.dial.Addr}}}}, nil
		},
	})
	w.t.Cleanup(func() { _ = rdb.Close() })
	for _, hook := range hooks {
		rdb.AddHook(hook)
	}
	w.deps.Campaigns = must(campaign.New(rdb, w.deps.Names, campaign.Options{}))(w.t)
	w.deps.Outbox = must(responses.NewOutbox(rdb, w.deps.Names, responses.OutboxOptions{}))(w.t)
}

// What is written while the forwarder rests from its last pass does not wait in the outbox for
// another process.
func TestStopEmptiesTheOutbox(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.clustered()
		w.campaign(campaign.Spec{ID: "42"}, audience(2)...)
		last := make(chan struct{})
		w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
			if token == "token-0001" {
				<-last
			}
			return accepted(ctx, token)
		}
		stop := w.serve(w.dispatcher())
		<-time.After(forwardPause / 2)
		if n := len(w.results()); n != 1 {
			t.Fatalf("%d results are forwarded, want the first", n)
		}
		close(last)
		stop()
		if b := w.books("42"); b.Outbox != 0 || len(w.results()) != 2 {
			t.Errorf("books %+v and %d results, want both forwarded", b, len(w.results()))
		}
	})
}

// pushes is a hook that holds up what is pushed to a list, once.
type pushes struct{ begun, release chan struct{} }

func (p pushes) DialHook(next redis.DialHook) redis.DialHook { return next }

func (p pushes) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (p pushes) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if slices.ContainsFunc(cmds, func(cmd redis.Cmder) bool { return cmd.Name() == "rpush" }) {
			close(p.begun)
			<-p.release
		}
		return next(ctx, cmds)
	}
}

// Two passes over one outbox take turns: else each would forward what the other has not trimmed
// yet.
func TestPassesOverAnOutboxTakeTurns(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		hook := pushes{make(chan struct{}), make(chan struct{})}
		w.clustered(hook)
		must(w.redis.RPush("{campaign:42}:outbox", `{"campaignId":"42","userId":"u1","status":"sent","at":"2030-01-01T00:00:00.000Z","resultId":"r1"}`))(t)
		f, list := w.dispatcher().forwarder, w.list("42")
		var passes sync.WaitGroup
		passes.Go(func() { f.forward(t.Context(), list) })
		<-hook.begun
		passes.Go(func() { f.forward(t.Context(), list) })
		synctest.Wait()
		close(hook.release)
		passes.Wait()
		if n := len(w.allResults()); n != 1 {
			t.Errorf("%d results, want the one", n)
		}
	})
}
