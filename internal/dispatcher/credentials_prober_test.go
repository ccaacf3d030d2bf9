package dispatcher

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fcm"
	"fanfare/internal/pacing"
)

// fakeHalter keeps the halts of a project.
type fakeHalter struct {
	mu    sync.Mutex
	halts []pacing.Halt
	away  bool // Redis is
}

func (h *fakeHalter) Halt(_ context.Context, reason string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away {
		return errDown
	}
	h.halts = append(h.halts, pacing.Halt{Reason: reason})
	return nil
}

func (h *fakeHalter) ResumeFrom(_ context.Context, reason string) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away {
		return false, errDown
	}
	h.halts = slices.DeleteFunc(h.halts, func(halt pacing.Halt) bool { return halt.Reason == reason })
	return len(h.halts) == 0, nil
}

func (h *fakeHalter) State(context.Context) (pacing.State, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.away {
		return pacing.State{}, errDown
	}
	return pacing.State{Halts: slices.Clone(h.halts)}, nil
}

func (h *fakeHalter) reasons() (reasons []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, halt := range h.halts {
		reasons = append(reasons, halt.Reason)
	}
	return reasons
}

var (
	refusedByFCM     = fcm.Answer{Class: fcm.Credentials, Code: "PERMISSION_DENIED", HTTPStatus: 403}
	refusedByTheBank = fcm.Answer{Class: fcm.Credentials, Detail: "invalid_grant"} // of the token endpoint: FCM was not asked
)

// Only what says that FCM takes the credentials ends a halt, and only the halts that are about
// them.
func TestWardenResumesWhatItMayOnly(t *testing.T) {
	const ours, byHand = pacing.RefusedCredentials + "3 of 3 answers", "halted by hand"
	for name, c := range map[string]struct {
		answer fcm.Answer
		left   []string
	}{
		"refused by FCM":            {refusedByFCM, []string{ours, byHand}},
		"refused by the token host": {refusedByTheBank, []string{ours, byHand}},
		"never got there":           {fcm.Answer{Class: fcm.NotSent, Detail: "connection refused"}, []string{ours, byHand}},
		"got no answer":             {fcm.Answer{Class: fcm.Ambiguous}, []string{ours, byHand}},
		"accepted":                  {fcm.Answer{Class: fcm.Sent, HTTPStatus: 200}, []string{byHand}},
		"no such token":             {fcm.Answer{Class: fcm.BadTarget, HTTPStatus: 400}, []string{byHand}},
		"overloaded":                {fcm.Answer{Class: fcm.Unavailable, HTTPStatus: 503}, []string{ours, byHand}},
		"quota spent":               {fcm.Answer{Class: fcm.Quota, HTTPStatus: 429}, []string{ours, byHand}},
		"token ended too soon":      {fcm.Answer{Class: fcm.NotSent, HTTPStatus: 401}, []string{ours, byHand}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			halter := &fakeHalter{halts: []pacing.Halt{{Reason: ours}, {Reason: byHand}}}
			w.deps.Halter = halter
			w.sender.answer = refuse(c.answer)
			w.dispatcher().prober.tick(t.Context())
			if left := halter.reasons(); !slices.Equal(left, c.left) {
				t.Errorf("the project is halted for %q, want %q", left, c.left)
			}
		})
	}
}

func TestWardenDoesNotProbeWithoutNeed(t *testing.T) {
	w := newWorld(t)
	w.deps.Halter = &fakeHalter{halts: []pacing.Halt{{Reason: "halted by hand"}}}
	probes := 0
	w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
		probes++
		return accepted(ctx, token)
	}
	w.dispatcher().prober.tick(t.Context())
	if probes != 0 {
		t.Errorf("FCM was asked %d times, want not at all", probes)
	}
}

// governed gives the world a real governor, which runs until the test ends.
func (w *world) governed(change func(*pacing.Options)) *pacing.Governor {
	w.t.Helper()
	o := pacing.DefaultOptions()
	o.Settings = pacing.Settings{Quota: pacing.MaxQuota}
	if change != nil {
		change(&o)
	}
	g := must(pacing.New(must(w.client())(w.t), w.deps.Names.Project("p"), o))(w.t)
	ctx, stop := context.WithCancel(w.t.Context())
	var running sync.WaitGroup
	running.Go(func() { g.Run(ctx) })
	w.t.Cleanup(func() {
		stop()
		running.Wait()
	})
	w.deps.Pacer, w.deps.Halter = g, g
	return g
}

// Broken credentials halt the project; everyone is kept, those who were refused too, and all are
// sent to once they work.
func TestBrokenCredentialsKeepEverybody(t *testing.T) {
	for name, broken := range map[string]fcm.Answer{"at FCM": refusedByFCM, "at the token endpoint": refusedByTheBank} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.useBreakers()
			governor := w.governed(nil)
			w.options.Retry.Outage = 10 * time.Millisecond
			w.campaign(campaign.Spec{ID: "42"}, audience(100)...)
			var mended mended
			w.sender.answer = func(ctx context.Context, token string) fcm.Answer {
				if mended.yet() {
					return accepted(ctx, token)
				}
				return broken
			}
			stop := w.serve(w.dispatcher())
			halted := func() bool {
				halts := must(governor.State(t.Context()))(t).Halts
				return len(halts) > 0 && strings.HasPrefix(halts[0].Reason, pacing.RefusedCredentials)
			}
			w.eventually(halted)
			if n := w.sender.total(); n > canary {
				t.Errorf("%d pushes, want at most the canary of %d", n, canary)
			}
			if b := w.books("42"); b.CountEnded() != 0 || !b.IsBalanced() {
				t.Errorf("books %+v, want everybody kept", b)
			}
			if state := w.stateOf("42"); state != campaign.Running {
				t.Errorf("the campaign is %s, want it to run on: the project is halted", state)
			}
			mended.now()
			w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
			stop()
			if b := w.books("42"); b.Sent != 100 {
				t.Errorf("books %+v, want everybody sent to", b)
			}
			if halted() {
				t.Error("the project is still halted")
			}
			for user, r := range w.results() {
				if r.Attempts != 1 {
					t.Errorf("%s ended after %d attempts, want one: refused credentials count as none", user, r.Attempts)
				}
			}
		})
	}
}

// fixed says when something works again.
type mended struct {
	mu   sync.Mutex
	done bool
}

func (m *mended) now() { m.mu.Lock(); defer m.mu.Unlock(); m.done = true }

func (m *mended) yet() bool { m.mu.Lock(); defer m.mu.Unlock(); return m.done }

// A project that has no governor cannot be halted: then the campaign is paused instead.
func TestBrokenCredentialsWithoutAGovernor(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.campaign(campaign.Spec{ID: "42"}, audience(100)...)
	w.sender.answer = refuse(refusedByFCM)
	ended, paused := errors.AsType[*EndedError](w.job("42"))
	if !paused || ended.State != campaign.Paused || !strings.Contains(ended.Reason, "credentials") {
		t.Fatalf("ended with %v, want paused for the credentials", ended)
	}
	if b := w.books("42"); b.CountEnded() != 0 || !b.IsBalanced() || b.Waiting+b.Retrying != 100 {
		t.Errorf("books %+v, want everybody kept", b)
	}
}

// A halt that Redis did not learn of is not forgotten: the trip stands until it is acted on.
func TestHaltIsRepeatedAfterAnOutage(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	halter := &fakeHalter{away: true}
	w.deps.Halter = halter
	w.campaign(campaign.Spec{ID: "42"}, audience(100)...)
	w.sender.answer = refuse(refusedByFCM)
	stop := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.breakerOf("42").Standing })
	pushed := w.sender.total()
	halter.mu.Lock()
	halter.away = false
	halter.mu.Unlock()
	w.redis.SetTime(time.Now().Add(time.Minute)) // anyone who was to act has had his time
	w.eventually(func() bool { return len(halter.reasons()) == 1 && !w.breakerOf("42").Standing })
	stop()
	if pushed > canary {
		t.Errorf("%d pushes before the halt, want at most the canary of %d", pushed, canary)
	}
}

// One process has credentials that are refused, and another has better ones: that one lets the
// project continue, and serves everyone, while the first claims no one any more.
func TestProcessWithBrokenCredentialsHoldsBack(t *testing.T) {
	w := newWorld(t)
	w.useBreakers()
	w.options.Retry.Outage = 10 * time.Millisecond
	halter := &fakeHalter{}
	w.deps.Halter = halter
	w.campaign(campaign.Spec{ID: "42"}, audience(200)...)
	good := w.sender
	bad := &fakeSender{sent: make(map[string]int), answer: refuse(refusedByFCM)}
	w.deps.Sender = bad
	stopBad := w.serve(w.dispatcher())
	w.eventually(func() bool { return len(halter.reasons()) == 1 })
	refused := bad.total()
	w.deps.Sender = good
	stopGood := w.serve(w.dispatcher())
	w.eventually(func() bool { return w.stateOf("42") == campaign.Completed })
	stopGood()
	stopBad()
	if again := bad.total() - refused; again > canary-refused {
		t.Errorf("the process with broken credentials sent %d more after it was refused %d times, want none beyond the canary of %d", again, refused, canary)
	}
	if reasons := halter.reasons(); len(reasons) != 0 {
		t.Errorf("the project is still halted for %q", reasons)
	}
	good.each(t, 200, 1)
}

// Time while the gate is closed, or the project halted, is not counted against those who wait for
// it.
func TestTimeBehindAGateIsNotCounted(t *testing.T) {
	for name, c := range map[string]struct {
		stop func(*pacing.Governor) error
		want bool
	}{
		"nothing": {func(*pacing.Governor) error { return nil }, false},
		"a gate":  {func(g *pacing.Governor) error { return g.CloseGate(t.Context(), time.Minute, "429") }, true},
		"a halt":  {func(g *pacing.Governor) error { return g.Halt(t.Context(), "by hand") }, true},
	} {
		w := newWorld(t)
		g := w.governed(nil)
		d := w.dispatcher()
		if err := c.stop(g); err != nil {
			t.Fatal(err)
		}
		if halts := d.prober.selfEndingHalts(t.Context()); len(halts) != 0 || (d.prober.haltSeenAt.Load() != 0) != c.want {
			t.Errorf("%s: seen at %d, and %v ends by itself", name, d.prober.haltSeenAt.Load(), halts)
		}
	}
}
