package dispatcher

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/pacing"
)

// prompt is far above what a stop takes that waits for no one, and far below each wait that it cuts
// short.
const prompt = 5 * time.Second

// stopped stops a Job that waits for something. The wait must not delay it, and all recipients that
// were not sent to must be back.
func (w *world) stopped(until func() bool, n, sent int64) {
	w.t.Helper()
	fetch, stop := context.WithCancel(w.t.Context())
	ended := make(chan error, 1)
	w.options.Campaign = "42"
	d := w.dispatcher()
	go func() { ended <- d.Run(fetch, w.t.Context()) }()
	w.eventually(until)
	stop()
	select {
	case err := <-ended:
		if !errors.Is(err, ErrLeftover) {
			w.t.Fatalf("stopped with %v, want ErrLeftover", err)
		}
	case <-time.After(prompt):
		w.t.Fatalf("still not stopped after %s", prompt)
	}
	if b := w.books("42"); b.InFlight != 0 || b.Sent != sent || b.Waiting+b.Retrying != n-sent || !b.IsBalanced() {
		w.t.Errorf("books %+v after the stop, want %d sent and the others of %d back", b, sent, n)
	}
}

// goesOn serves the rest: everyone is sent to exactly once.
func (w *world) goesOn(n int) {
	w.t.Helper()
	w.sender.answer = accepted
	if err := w.job("42"); err != nil {
		w.t.Fatal(err)
	}
	w.sender.each(w.t, n, 1)
}

// A gate that is closed for half an hour, a halt that no one ends: a stop does not wait for either.
func TestStopBehindAGate(t *testing.T) {
	for name, shut := range map[string]func(context.Context, *pacing.Governor) error{
		"gate": func(ctx context.Context, g *pacing.Governor) error { return g.CloseGate(ctx, 30*time.Minute, "429") },
		"halt": func(ctx context.Context, g *pacing.Governor) error { return g.Halt(ctx, "by hand") },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			governor := w.governed(nil)
			w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
			if err := shut(t.Context(), governor); err != nil {
				t.Fatal(err)
			}
			w.stopped(func() bool { return w.books("42").InFlight == 200 }, 200, 0)
			if n := w.sender.total(); n != 0 {
				t.Errorf("%d pushes although the project was shut", n)
			}
			w.deps.Pacer = nil
			w.goesOn(200)
		})
	}
}

// A gate that closes in mid-campaign lets those on the wire finish; a stop then waits for them
// alone.
func TestStopAfterAProjectsQuota(t *testing.T) {
	w := newWorld(t)
	w.governed(nil)
	w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
	w.options.Retry.Unsent = time.Millisecond
	w.options.Concurrency = 20
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if w.sender.total() > 100 {
			return fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaProject, RetryAfter: 30 * time.Minute, HTTPStatus: 429}
		}
		return accepted(ctx, token)
	}
	w.stopped(func() bool { b := w.books("42"); return b.Sent == 100 && b.InFlight >= 20 && w.sender.total() > 100 }, 200, 100)
	refused := w.sender.total() - 100
	if refused < 1 || refused > 20 {
		t.Errorf("%d pushes were refused, want no more than were on the wire, 20", refused)
	}
	b := w.books("42")
	if b.Retrying != int64(refused) {
		t.Errorf("books %+v, want the %d who were refused to wait out the quota", b, refused)
	}
}

// A stop within a canary leaves nothing of it behind that the next process would have to wait for.
func TestStopWithinACanary(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	pacer := newGate()
	w.deps.Pacer = pacer
	w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
	w.stopped(func() bool { return pacer.waits.Load() == canary }, 200, 0)
	if s := w.breakerOf("42"); s.Canary.Outstanding != 0 {
		t.Errorf("%d places in the canary are taken by nobody", s.Canary.Outstanding)
	}
	w.deps.Pacer = nil
	begun := time.Now()
	w.goesOn(200)
	if took := time.Since(begun); took > prompt {
		t.Errorf("the next Job took %s, want no wait for a lost canary", took)
	}
}

// A stop while the answers of a canary are being told, to a Redis that is slow, waits for what must
// be done about them: the message that was found wrong is not sent on.
func TestStopTellsTheLastAnswers(t *testing.T) {
	w := newWorld(t)
	rdb := must(w.client())(t)
	rdb.AddHook(slowly{300 * time.Millisecond})
	o := breaker.DefaultOptions()
	o.Canary = canary
	w.deps.Breakers = must(breaker.New(rdb, o))(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
	w.options.Concurrency = canary
	w.sender.answer = refuse(wrongMessage)
	d := w.dispatcher()
	stop := w.serve(d)
	w.eventually(func() bool {
		d.reporter.mu.Lock()
		defer d.reporter.mu.Unlock()
		return w.sender.total() == canary && len(d.reporter.pending) == 0
	})
	stop()
	if state := w.stateOf("42"); state != campaign.Paused {
		t.Errorf("the campaign is %s, want it paused by its last answers", state)
	}
	if b := w.books("42"); b.Failed != canary || b.Waiting != 200-canary {
		t.Errorf("books %+v", b)
	}
}

// slowly lets each command wait before it goes out.
type slowly struct{ by time.Duration }

func (s slowly) DialHook(next redis.DialHook) redis.DialHook { return next }

func (s slowly) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (s slowly) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(s.by):
			return next(ctx, cmd)
		}
	}
}
