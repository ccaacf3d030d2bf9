package pacing

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/history"
)

// A 429 at one replica stops all of them until Retry-After. A ramp follows.
func TestGateStopsEveryReplica(t *testing.T) {
	o := steady(2000)
	o.Ramp = 10 * time.Second
	inBubble(t, o, func(f *fleet) {
		all := f.replicas(4, 50)
		f.pass(15 * time.Second)
		must(t, all[1].CloseGate(f.t.Context(), 30*time.Second, "429"))
		closed := f.now()
		f.pass(time.Second)
		for _, r := range all {
			wantEqual(t, "shut", r.IsBlocked(), true)
		}
		f.pass(31 * time.Second)
		wantEqual(t, "shut behind it", all[0].IsBlocked(), false)
		// The others continue until the signal reaches them: two ways of 300 µs.
		wantEqual(t, "sent behind the gate", f.count(closed+time.Millisecond, closed+30*time.Second-time.Millisecond), 0)
		wantBetween(t, "in the first second after it", f.count(closed+30*time.Second, closed+31*time.Second), 180, 230)
		f.pass(10 * time.Second)
		wantBetween(t, "at full pace again", f.count(closed+40500*time.Millisecond, closed+41500*time.Millisecond), 1940, 2060)
		f.stop(all)
	})
}

func TestGateIsOnlyEverExtended(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		all := f.replicas(2, 10)
		f.pass(time.Second)
		must(t, all[0].CloseGate(f.t.Context(), 30*time.Second, "first"))
		must(t, all[1].CloseGate(f.t.Context(), 10*time.Second, "shorter"))
		closed := f.now()
		f.pass(20 * time.Second)
		state, err := all[0].State(f.t.Context())
		must(t, err)
		wantBetween(t, "left", state.Gate.Until.Sub(state.Now), 9900*time.Millisecond, 10*time.Second)
		wantEqual(t, "reason", state.Gate.Reason, "first")
		must(t, all[1].CloseGate(f.t.Context(), 20*time.Second, "longer"))
		f.pass(21 * time.Second)
		wantEqual(t, "sent behind the gate", f.count(closed+time.Millisecond, closed+39*time.Second), 0)
		f.stop(all)
	})
}

// The state says who closed the gate that stands. A gate of an earlier version names no one, even
// where the author of an older gate is left.
func TestGateNamesWhoClosedIt(t *testing.T) {
	o := steady(1000)
	o.By = "ann@ops"
	inBubble(t, o, func(f *fleet) {
		all := f.replicas(1, 10)
		g := f.governor()
		gateOf := func() Gate {
			state, err := g.State(f.t.Context())
			must(t, err)
			return state.Gate
		}
		must(t, g.CloseGateByHand(f.t.Context(), 10*time.Second))
		wantEqual(t, "cause of a gate by hand", gateOf().Cause(), " by ann@ops")
		must(t, g.CloseGateByHand(history.WithActor(f.t.Context(), "bob"), 20*time.Second))
		wantEqual(t, "who extended it", gateOf().By, "bob")
		must(t, g.CloseGate(f.t.Context(), 30*time.Second, "429: slow down"))
		must(t, g.CloseGateByHand(f.t.Context(), 10*time.Second))
		wantEqual(t, "cause of a gate of FCM", gateOf().Cause(), " by FCM: 429: slow down")
		f.pass(2 * time.Second)
		f.mem.lose()
		f.pass(2 * time.Second)
		wantEqual(t, "who closed a gate that Redis lost", gateOf().By, "")
		must(t, all[0].CloseGate(f.t.Context(), time.Minute, "429"))
		f.mem.lose()
		f.mem.signal("")
		f.pass(2 * time.Second)
		wantEqual(t, "who closed it, by the replica that did", gateOf().By, ByFCM)
		_, err := f.mem.run(f.t.Context(), closeScript, []string{g.shared.pace}, g.shared.signal, 120_000_000, 3_600_000_000, "closed by ann@ops", "")
		must(t, err)
		f.mem.set(g.shared.pace, "by", "5 bob")
		wantEqual(t, "cause as an earlier version wrote it", gateOf().Cause(), ": closed by ann@ops")
		f.pass(3 * time.Minute)
		wantEqual(t, "an open gate", gateOf(), Gate{})
		f.stop(all)
	})
}

// A replica that only knows a gate from Redis writes it again without the author of its own gate.
func TestAnotherGateIsNotWrittenUnderTheOldName(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		all := f.replicas(1, 10)
		f.pass(time.Second)
		must(t, all[0].CloseGate(f.t.Context(), 5*time.Second, "429"))
		f.pass(time.Second)
		g := f.governor()
		must(t, g.CloseGateByHand(f.t.Context(), time.Minute))
		f.pass(2 * time.Second)
		f.mem.lose()
		f.mem.signal("")
		f.pass(2 * time.Second)
		state, err := g.State(f.t.Context())
		must(t, err)
		wantBetween(t, "left", state.Gate.Until.Sub(state.Now), 54*time.Second, 57*time.Second)
		wantEqual(t, "cause", state.Gate.Cause(), "")
		f.stop(all)
	})
}

func TestRetryAfterIsBounded(t *testing.T) {
	var logged bytes.Buffer
	o := steady(1000)
	o.MaxGate = 10 * time.Minute
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	for _, c := range []struct{ asked, kept time.Duration }{
		{0, time.Minute}, {-time.Second, time.Minute}, {90 * time.Second, 90 * time.Second}, {1000 * time.Hour, 10 * time.Minute},
	} {
		inBubble(t, o, func(f *fleet) {
			g := f.governor()
			must(t, g.CloseGate(f.t.Context(), c.asked, "429"))
			state, err := g.State(f.t.Context())
			must(t, err)
			wantBetween(t, "left", state.Gate.Until.Sub(state.Now), c.kept-10*time.Millisecond, c.kept)
		})
	}
	if !strings.Contains(logged.String(), "for=10m0s retry_after=1000h0m0s cut=true") {
		t.Errorf("an absurd Retry-After was not logged: %s", &logged)
	}
}

// Without Redis, the replica that got the 429 stops at once, and the others learn of it later.
func TestGateClosesWithoutRedis(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		all := append(f.replicas(1, 10), f.start())
		f.serve(all[1], 10, Push{Campaign: "another"})
		f.pass(time.Second)
		f.mem.away(true)
		if err := all[0].CloseGate(f.t.Context(), 30*time.Second, "429"); !errors.Is(err, errDown) {
			t.Errorf("close: %v, want that Redis is away", err)
		}
		closed, before := f.now(), f.of("42")
		f.pass(5 * time.Second)
		wantEqual(t, "sent by the one that knows", f.of("42")-before, 0)
		f.mem.away(false)
		f.pass(1200 * time.Millisecond) // it is told again each second
		told := f.now()
		f.pass(25 * time.Second)
		wantEqual(t, "sent behind the gate", f.count(told, closed+30*time.Second), 0)
		wantBetween(t, "sent after it", f.count(closed+30*time.Second, f.now()), 100, 2000)
		f.stop(all)
	})
}

// Redis loses its data while the gate is closed. A replica that knows the gate writes it again.
func TestGateSurvivesLostData(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		all := f.replicas(2, 10)
		f.pass(time.Second)
		must(t, all[0].CloseGate(f.t.Context(), 30*time.Second, "429"))
		closed := f.now()
		f.pass(5 * time.Second)
		f.mem.lose()
		f.mem.signal("") // the connection was lost too, and subscribed again
		f.pass(2 * time.Second)
		state, err := all[1].State(f.t.Context())
		must(t, err)
		wantBetween(t, "left", state.Gate.Until.Sub(state.Now), 22*time.Second, 23100*time.Millisecond)
		wantEqual(t, "sent behind the gate", f.count(closed+time.Millisecond, f.now()), 0)
		f.stop(all)
	})
}

// A replica that the signal does not reach learns of the gate with its next share.
func TestGateWithoutSignal(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		f.mem.deaf = true
		all := f.replicas(4, 50)
		f.pass(time.Second)
		must(t, all[0].CloseGate(f.t.Context(), 10*time.Second, "429"))
		closed := f.now()
		f.pass(10 * time.Second)
		wantBetween(t, "sent behind the gate", f.count(closed+time.Millisecond, closed+9900*time.Millisecond), 0, 3*2*20)
		wantEqual(t, "sent once all have asked", f.count(closed+300*time.Millisecond, closed+9900*time.Millisecond), 0)
		f.stop(all)
	})
}

// Many 429s at once cost few calls and make one gate.
func TestCrowdOfCloses(t *testing.T) {
	var logged bytes.Buffer
	o := steady(1000)
	o.Logger = slog.New(slog.NewTextHandler(&logged, nil))
	inBubble(t, o, func(f *fleet) {
		g := f.start()
		f.pass(time.Second)
		before := f.mem.called()
		for range 500 {
			f.work.Go(func() { _ = g.CloseGate(context.Background(), 30*time.Second, "429") })
		}
		synctest.Wait()
		f.pass(10 * time.Millisecond)
		wantBetween(t, "calls", f.mem.called()-before, 1, 5)
		wantEqual(t, "lines", strings.Count(logged.String(), "gate closed"), 1)
		g.stop()
	})
}

// A shorter Retry-After at the same replica does not open its gate sooner.
func TestGateIsNotCutShortByTheSameReplica(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g := f.governor()
		must(t, g.CloseGate(f.t.Context(), 30*time.Second, "longer"))
		until := g.gate.until
		must(t, g.CloseGate(f.t.Context(), 5*time.Second, "shorter"))
		wantEqual(t, "closed until", g.gate.until, until)
		wantEqual(t, "reason", g.gate.reason, "longer")
		f.pass(31 * time.Second)
		all := f.replicas(1, 1)
		must(t, all[0].CloseGate(f.t.Context(), 30*time.Second, "429"))
		f.mem.away(true) // which would say that the gate is closed
		// It fails if a reply from before the gate has arrived, as the gate is written again then.
		_ = all[0].CloseGate(f.t.Context(), 5*time.Second, "429")
		f.pass(29 * time.Second)
		wantEqual(t, "shut before the end of the longer wait", all[0].IsBlocked(), true)
		f.pass(2 * time.Second)
		wantEqual(t, "shut after it", all[0].IsBlocked(), false)
		f.stop(all)
	})
}

// A campaign that had no pushes has no claim on that time. It joins the others where they are.
func TestIdleCampaignClaimsNothingForThePast(t *testing.T) {
	c := &priorityClass{now: 50}
	l := &flow{class: c, weight: 1, pass: 3}
	l.enter()
	wantEqual(t, "pass of the one who comes", l.pass, 50)
	l.waiting, l.pass = 1, 49
	l.enter()
	wantEqual(t, "pass of one who waits already", l.pass, 49)
}

// A permit expires after 100 ms, because late pushes would make a burst.
func TestPermitsLiveBriefly(t *testing.T) {
	at := time.Unix(100, 0)
	p := &permitBuffer{ttl: quotaPermitTTL, shares: []permitRun{{from: at, span: 10 * time.Millisecond, n: 10}}}
	for _, c := range []struct {
		after   time.Duration
		dropped int
	}{{100 * time.Millisecond, 0}, {101 * time.Millisecond, 1}, {104 * time.Millisecond, 3}, {time.Second, 6}} {
		wantEqual(t, "dropped after "+c.after.String(), p.expire(at.Add(c.after)), c.dropped)
	}
}

// An unused permit of a push is not kept once the gate has closed or the project is halted.
func TestUnusedPermitDoesNotPassTheGate(t *testing.T) {
	for name, shut := range map[string]func(f *fleet, g *Governor) error{
		"gate": func(f *fleet, g *Governor) error { return g.CloseGate(f.t.Context(), 30*time.Second, "429") },
		"halt": func(f *fleet, g *Governor) error { return g.Halt(f.t.Context(), "by hand") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, steady(1000), func(f *fleet) {
				r := f.start()
				w, err := r.enter(Push{Campaign: "gone"}, time.Now())
				must(t, err)
				f.pass(100 * time.Millisecond)
				if w == nil || len(w.ready) != 1 {
					t.Fatal("the push was not given a permit while it waited")
				}
				must(t, shut(f, r.Governor))
				r.leave(w, time.Now())
				f.serve(r, 1, Push{Campaign: "next"})
				f.pass(29 * time.Second)
				wantEqual(t, "sent behind it", f.of("next"), 0)
				r.stop()
			})
		})
	}
}

// A second after a failed write of the gate, the replica writes it again.
func TestGateIsToldAgain(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		g, now := f.governor(), time.Now()
		g.gate = gate{until: now.Add(time.Minute), retryAt: now.Add(reassertInterval)}
		next := now.Add(restInterval)
		g.reassert(f.t.Context(), now, &next)
		wantEqual(t, "told at once", g.gate.publishing, false)
		wantEqual(t, "looked at again in", next.Sub(now), reassertInterval)
		g.mu.Lock()
		g.reassert(f.t.Context(), now.Add(reassertInterval), &next)
		wantEqual(t, "told then", g.gate.publishing, true)
		g.mu.Unlock()
		g.work.Wait()
		wantEqual(t, "known to Redis", g.gate.knownUntil.IsZero(), false)
	})
}
