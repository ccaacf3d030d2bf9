package dispatcher

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
	"fanfare/internal/pacing"
)

// fakePacer counts, and asks a function whether a push may go.
type fakePacer struct {
	waits   atomic.Int64
	may     func(ctx context.Context, nth int64) error
	longest time.Duration
	shut    atomic.Int64 // how many more times it says that the gate has closed meanwhile
	last    func()       // what happens just before a push that may go

	mu     sync.Mutex
	pushes []pacing.Push
	closed []time.Duration
}

func (p *fakePacer) Wait(ctx context.Context, push pacing.Push) error {
	n := p.waits.Add(1)
	p.mu.Lock()
	p.pushes = append(p.pushes, push)
	p.mu.Unlock()
	if p.may == nil {
		return ctx.Err()
	}
	return p.may(ctx, n)
}

func (p *fakePacer) IsBlocked() bool {
	if p.last != nil {
		p.last()
	}
	return p.shut.Add(-1) >= 0
}

func (p *fakePacer) LongestGate() time.Duration { return p.longest }

func (p *fakePacer) CloseGate(_ context.Context, retryAfter time.Duration, _ string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = append(p.closed, retryAfter)
	return nil
}

func TestPacerIsAskedForEachPush(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42", Weight: 3, Priority: 7, Rate: 1000}, audience(50)...)
	pacer := &fakePacer{}
	w.deps.Pacer = pacer
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	want := pacing.Push{Campaign: "42", Weight: 3, Priority: 7, Cap: 1000, CapKey: "{campaign:42}:pace"}
	if len(pacer.pushes) != 50 || pacer.pushes[0] != want {
		t.Errorf("asked %d times, at first for %+v, want 50 times, %+v", len(pacer.pushes), pacer.pushes[0], want)
	}
}

// A gate that closes while a push waits for room on the wire holds it.
func TestShutGateIsWaitedForAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.options.Concurrency = 1 // what it does not give back, no one has
		w.campaign(campaign.Spec{ID: "42"}, audience(10)...)
		pacer := &fakePacer{}
		pacer.shut.Store(4)
		w.deps.Pacer = pacer
		stop := w.serve(w.dispatcher())
		<-time.After(time.Minute)
		stop()
		if waits := pacer.waits.Load(); waits != 14 {
			t.Errorf("asked %d times, want 14: four pushes met a shut gate", waits)
		}
		w.sender.each(t, 10, 1)
	})
}

// A campaign that is dropped at the last moment sends to no one more, and the room on the wire is
// another's.
func TestCampaignDroppedAtTheLastMoment(t *testing.T) {
	inBubble(t, func(t *testing.T, w *world) {
		w.options.Concurrency = 1
		w.campaign(campaign.Spec{ID: "42"}, audience(3)...)
		var d *Dispatcher
		var once sync.Once
		w.deps.Pacer = &fakePacer{last: func() { once.Do(func() { d.roster.drop(d.roster.get("42")) }) }}
		d = w.dispatcher()
		stop := w.serve(d)
		<-time.After(w.options.Discover / 2)
		if n, b := w.sender.total(), w.books("42"); n != 0 || b.Waiting != 3 {
			t.Errorf("%d pushes and the books %+v, want everybody back unsent", n, b)
		}
		<-time.After(w.options.Discover)
		stop()
		w.sender.each(t, 3, 1)
	})
}

// Only a 429 of the whole project closes the gate.
func TestWhoseQuotaClosesTheGate(t *testing.T) {
	for _, c := range []struct {
		scope fcm.QuotaScope
		want  []time.Duration
	}{
		{fcm.QuotaProject, []time.Duration{30 * time.Second}},
		{fcm.QuotaDevice, nil},
		{fcm.QuotaTopic, nil},
	} {
		w := newWorld(t)
		w.campaign(campaign.Spec{ID: "42"}, audience(1)...)
		w.options.Retry.Unsent = time.Millisecond
		pacer := &fakePacer{}
		w.deps.Pacer = pacer
		w.sender.answer = func(context.Context, string) fcm.Answer {
			return fcm.Answer{Class: fcm.Quota, Scope: c.scope, RetryAfter: 30 * time.Second, HTTPStatus: 429}
		}
		stop := w.serve(w.dispatcher())
		w.eventually(func() bool { return w.books("42").Retrying == 1 })
		stop()
		if !slices.Equal(pacer.closed, c.want) {
			t.Errorf("scope %d: gate closed for %v, want %v", c.scope, pacer.closed, c.want)
		}
	}
}

// A Retry-After that the gate cuts holds no recipient for longer than the gate.
func TestCutRetryAfterHoldsNoOneBack(t *testing.T) {
	w := newWorld(t)
	w.options.Retry.Unsent = time.Millisecond
	w.campaign(campaign.Spec{ID: "42"}, audience(20)...)
	w.deps.Pacer = &fakePacer{longest: 20 * time.Millisecond}
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		if w.sender.requests(token) == 1 {
			return fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaProject, RetryAfter: time.Hour, HTTPStatus: 429}
		}
		return accepted(ctx, token)
	}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	w.sender.each(t, 20, 2)
}

func TestExperience(t *testing.T) {
	for _, c := range []struct {
		answer fcm.Answer
		want   inflight.Signal
	}{
		{fcm.Answer{Class: fcm.Sent, HTTPStatus: 200}, inflight.Good},
		{fcm.Answer{Class: fcm.Unregistered, HTTPStatus: 404}, inflight.Good},
		{fcm.Answer{Class: fcm.Unavailable, HTTPStatus: 500}, inflight.Overload},
		{fcm.Answer{Class: fcm.Unavailable, HTTPStatus: 503}, inflight.Overload},
		{fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaProject, HTTPStatus: 429}, inflight.Overload},
		{fcm.Answer{Class: fcm.Quota, Scope: fcm.QuotaDevice, HTTPStatus: 429}, inflight.Good},
		{fcm.Answer{Class: fcm.Ambiguous}, inflight.Ignore},
		{fcm.Answer{Class: fcm.Ambiguous, HTTPStatus: 200}, inflight.Ignore},
		{fcm.Answer{Class: fcm.NotSent}, inflight.Ignore},
		{fcm.Answer{Class: fcm.Credentials}, inflight.Ignore},
	} {
		if got := healthOf(c.answer, time.Second); got.Signal != c.want || got.Latency != time.Second {
			t.Errorf("%v with status %d: %+v, want signal %d", c.answer.Class, c.answer.HTTPStatus, got, c.want)
		}
	}
}

func TestWhomThePacerRefusesGoesBack(t *testing.T) {
	w := newWorld(t)
	w.campaign(campaign.Spec{ID: "42"}, audience(50)...)
	w.deps.Pacer = &fakePacer{may: func(_ context.Context, nth int64) error {
		if nth%3 == 0 {
			return errors.New("not now")
		}
		return nil
	}}
	if err := w.job("42"); err != nil {
		t.Fatal(err)
	}
	w.sender.each(t, 50, 1)
}
