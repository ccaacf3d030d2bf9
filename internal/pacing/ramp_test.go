package pacing

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func ramped(perSecond int, ramp time.Duration) Options {
	o := steady(perSecond)
	o.Ramp = ramp
	return o
}

// wantRamp compares each second with a line from standstill to full pace.
func (f *fleet) wantRamp(began time.Duration) {
	f.t.Helper()
	full, ramp := f.o.Rate(), f.o.Ramp
	for s := time.Second; s < ramp; s += time.Second {
		want := full * (s + time.Second/2).Seconds() / ramp.Seconds()
		got := float64(f.count(began+s, began+s+time.Second))
		if math.Abs(got-want) > 0.04*full {
			f.t.Errorf("second %s of the ramp: %.0f pushes, want about %.0f", s, got, want)
		}
	}
}

func TestRampIsALine(t *testing.T) {
	inBubble(t, ramped(2000, 20*time.Second), func(f *fleet) {
		all := f.replicas(4, 50)
		f.pass(22 * time.Second)
		f.wantRamp(0)
		wantBetween(t, "first second", f.count(0, time.Second), 95, 110)
		for tenth := range 10 { // no burst within it
			from := time.Duration(tenth) * time.Second / 10
			wantBetween(t, "tenth of the first second", f.count(from, from+time.Second/10), 6, 16)
		}
		wantBetween(t, "full pace", f.count(20500*time.Millisecond, 21500*time.Millisecond), 1960, 2040)
		f.stop(all)
	})
}

func TestRampIsShared(t *testing.T) {
	inBubble(t, ramped(2000, 20*time.Second), func(f *fleet) {
		all := f.replicas(1, 50)
		f.pass(8 * time.Second)
		all = append(all, f.replicas(5, 50)...)
		f.pass(5 * time.Second)
		all[0].stop()
		f.pass(9 * time.Second)
		f.wantRamp(0)
		f.stop(all)
	})
}

// A long pause costs the whole ramp, and a short one a part of it.
func TestRampAfterAPause(t *testing.T) {
	for _, c := range []struct {
		pause time.Duration
		warm  float64
	}{{40 * time.Second, 0}, {30 * time.Second, 0}, {15 * time.Second, 0.5}, {3 * time.Second, 0.9}, {100 * time.Millisecond, 0.995}} {
		inBubble(t, ramped(2000, 10*time.Second), func(f *fleet) {
			before := f.replicas(2, 50)
			f.pass(12 * time.Second)
			f.stop(before)
			f.pass(c.pause)
			again := f.now()
			after := f.replicas(2, 50)
			f.pass(time.Second)
			want := 2000 * max(0.1, min(1, c.warm+0.05))
			wantBetween(t, "first second after "+c.pause.String(), float64(f.count(again, again+time.Second)), want-60, want+60)
			f.stop(after)
		})
	}
}

// A few pushes now and then do not warm the ramp. It begins at the actual pace.
func TestTrickleWarmsNothing(t *testing.T) {
	inBubble(t, ramped(2000, 20*time.Second), func(f *fleet) {
		r := f.start()
		for range 60 {
			must(t, r.Wait(f.t.Context(), Push{Campaign: "few"}))
			f.pass(time.Second)
		}
		began := f.now()
		f.serve(r, 50, Push{Campaign: "many"})
		f.pass(20 * time.Second)
		f.wantRamp(began)
		r.stop()
	})
}

// After Redis lost its data, no one knows the pace, so the ramp begins again.
func TestRampAfterLostData(t *testing.T) {
	inBubble(t, ramped(2000, 10*time.Second), func(f *fleet) {
		all := f.replicas(3, 50)
		f.pass(12 * time.Second)
		f.mem.lose()
		lost := f.now()
		f.pass(12 * time.Second)
		f.wantRamp(lost)
		wantBetween(t, "full pace", f.count(lost+10500*time.Millisecond, lost+11500*time.Millisecond), 1960, 2040)
		f.stop(all)
	})
}

// Replicas make up no permits while Redis is away. Sending continues once it is back.
func TestRedisAway(t *testing.T) {
	inBubble(t, steady(2000), func(f *fleet) {
		all := f.replicas(3, 50)
		f.pass(2 * time.Second)
		f.mem.away(true)
		gone := f.now()
		f.pass(5 * time.Second)
		wantBetween(t, "sent without Redis", f.count(gone, gone+5*time.Second), 0, 3*2*40)
		f.mem.away(false)
		back := f.now()
		f.pass(3 * time.Second)
		wantBetween(t, "sent once it is back", f.count(back+1500*time.Millisecond, back+2500*time.Millisecond), 1940, 2060)
		f.stop(all)
	})
}

// span and count are inverse, and a longer time has room for more.
func TestSpanAndCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := profile{
			interval: rapid.Float64Range(1, 1e8).Draw(t, "interval"),
			ramp:     rapid.SampledFrom([]float64{0, 1e5, 1e6, 6e7, 3.6e9}).Draw(t, "ramp"),
		}
		place := p.ramp * rapid.Float64Range(0, 1).Draw(t, "place")
		n := rapid.Float64Range(0.001, 1e6).Draw(t, "n")
		took := p.span(place, n)
		if got := p.count(place, took); math.Abs(got-n) > 1e-6*n+1e-6 {
			t.Errorf("%g pushes take %gµs, in which %g fit", n, took, got)
		}
		if took < n*p.interval*(1-1e-9) {
			t.Errorf("%g pushes take %gµs: faster than the full rate", n, took)
		}
	})
}

func TestRateIsThatOfTheRamp(t *testing.T) {
	inBubble(t, ramped(1000, 10*time.Second), func(f *fleet) {
		g := f.governor()
		state, err := g.State(f.t.Context())
		must(t, err)
		wantBetween(t, "rate at standstill", state.Rate, 99, 101)
		all := f.replicas(1, 50)
		f.pass(5 * time.Second)
		state, err = g.State(f.t.Context())
		must(t, err)
		wantBetween(t, "rate half way", state.Rate, 480, 520)
		wantBetween(t, "half way", state.Warm, 0.48, 0.52)
		f.stop(all)
	})
}
