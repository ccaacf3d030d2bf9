package pacing

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// event is something that happens to a fleet.
type event struct {
	what  string // "come", "go", "stall", "gate"
	which int
	long  time.Duration
	after time.Duration
}

// scenario is drawn before its bubble begins and checked after it ends.
type scenario struct {
	rate    int
	ramp    time.Duration
	latency time.Duration
	deaf    bool
	events  []event
}

func drawScenario(t *rapid.T) scenario {
	s := scenario{
		rate:    rapid.SampledFrom([]int{5, 50, 300}).Draw(t, "rate"),
		ramp:    rapid.SampledFrom([]time.Duration{0, 5 * time.Second}).Draw(t, "ramp"),
		latency: time.Duration(rapid.IntRange(100, 20_000).Draw(t, "latency µs")) * time.Microsecond,
		deaf:    rapid.Bool().Draw(t, "deaf"),
	}
	kinds := []string{"come", "come", "come", "go", "stall", "gate"}
	for range rapid.IntRange(1, 8).Draw(t, "events") {
		s.events = append(s.events, event{
			what:  rapid.SampledFrom(kinds).Draw(t, "event"),
			which: rapid.IntRange(0, 31).Draw(t, "which"),
			long:  time.Duration(rapid.IntRange(1, 3000).Draw(t, "long")) * time.Millisecond,
			after: time.Duration(rapid.IntRange(0, 2000).Draw(t, "after")) * time.Millisecond,
		})
	}
	return s
}

// epoch is a time in which one ramp runs. The first begins with the fleet, each other one with the
// end of a gate.
type epoch struct{ gated, opens time.Duration }

// tester is a replica whose pushes can stall.
type tester struct {
	*replica
	stalled time.Time
}

// ran is the outcome of a scenario.
type ran struct {
	sent   []time.Duration
	epochs []epoch
	most   int           // replicas at a time
	calm   time.Duration // nothing happens any more from then on
	ends   time.Duration
}

func (s scenario) run(t *testing.T) ran {
	var out ran
	inBubble(t, ramped(s.rate, s.ramp), func(f *fleet) {
		f.mem.latency, f.mem.deaf = s.latency, s.deaf
		out.epochs = []epoch{{}}
		living := []*tester{f.tester(), f.tester()}
		for _, e := range s.events {
			out.most = max(out.most, len(living))
			one := living[e.which%len(living)]
			switch e.what {
			case "come":
				for range min(1+e.which/4, 32-len(living)) {
					living = append(living, f.tester())
				}
			case "go":
				if len(living) > 1 {
					one.stop()
					living = slices.DeleteFunc(living, func(r *tester) bool { return r == one })
				}
			case "stall":
				f.mu.Lock()
				one.stalled = time.Now().Add(e.long)
				f.mu.Unlock()
			case "gate":
				gated := f.now()
				must(f.t, one.CloseGate(f.t.Context(), e.long, "429"))
				out.epochs = append(out.epochs, epoch{gated: gated, opens: gated + e.long})
			}
			f.pass(e.after)
		}
		f.pass(s.ramp + 7*time.Second) // all stalls and gates are over by then
		out.calm = f.now()
		f.pass(6 * time.Second)
		out.ends = f.now()
		for _, r := range living {
			r.stop()
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		out.sent = slices.Clone(f.sent)
	})
	return out
}

// tester starts a replica whose pushes never end.
func (f *fleet) tester() *tester {
	r := &tester{replica: f.start()}
	for range 120 {
		f.work.Go(func() {
			for r.Wait(context.Background(), Push{Campaign: "42"}) == nil {
				f.record("42")
				f.mu.Lock()
				stall := time.Until(r.stalled)
				f.mu.Unlock()
				if stall > 0 {
					<-time.After(stall)
				}
			}
		})
	}
	return r
}

// allowed returns how many pushes the ramp permits until an instant if only gates interrupted the
// pace.
func (s scenario) allowed(epochs []epoch, at time.Duration) float64 {
	p, n := ramped(s.rate, s.ramp).profile(), 0.0
	for i, e := range epochs {
		ends := at
		if i+1 < len(epochs) {
			ends = min(ends, epochs[i+1].gated)
		}
		if ends > e.opens {
			n += p.count(0, float64((ends - e.opens).Microseconds()))
		}
	}
	return n
}

// Replicas come, go, stall and close gates. No window of time sees more pushes than the pace and
// the replicas' permits in hand allow. No push goes behind a gate. Once nothing happens any more,
// all of the quota is used.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := drawScenario(rt)
		got := s.run(t)
		hand := math.Ceil(float64(s.rate) * max(aloneTime, 4*s.latency+time.Millisecond).Seconds())
		slack := float64(s.rate)*(quotaPermitTTL+4*s.latency+2*tick).Seconds() + 2 + hand*float64(max(got.most, 1))
		lowest := math.Inf(1)
		for i, at := range got.sent {
			over := float64(i) - s.allowed(got.epochs, at)
			lowest = min(lowest, over)
			if over+1-lowest > slack {
				rt.Fatalf("until %s some window had %.1f pushes too many, %.1f are a hand's", at, over+1-lowest, slack)
			}
		}
		for _, e := range got.epochs {
			first, _ := slices.BinarySearch(got.sent, e.gated+s.gateDelay())
			last, _ := slices.BinarySearch(got.sent, e.opens)
			if first < last {
				rt.Fatalf("%d pushes went behind the gate of %s to %s", last-first, e.gated, e.opens)
			}
		}
		first, _ := slices.BinarySearch(got.sent, got.calm)
		used := float64(len(got.sent)-first) / float64(s.rate) / (got.ends - got.calm).Seconds()
		if used < 0.98-1/(10*float64(s.rate)) {
			rt.Fatalf("%.1f%% of the quota was used while pushes waited", used*100)
		}
	})
}

// gateDelay is how long after CloseGate a replica may still send. A replica without signals spends
// what it has leased. The last permit lies in a share that begins at the horizon.
func (s scenario) gateDelay() time.Duration {
	delay := 2*s.latency + 3*tick
	if s.deaf {
		delay += horizon + maxShareTime + quotaPermitTTL
	}
	return delay
}

// Campaigns share by weight, for any number of them and any weights.
func TestFairness(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		weights := rapid.SliceOfN(rapid.IntRange(1, 20), 2, 8).Draw(rt, "weights")
		const rate, seconds = 1000, 5
		by := map[string]int{}
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{t: t, mem: newMemory(), o: steady(rate), by: by, began: time.Now()}
			r := f.start()
			for i, w := range weights {
				f.serve(r, 20+10*i, Push{Campaign: fmt.Sprint(i), Weight: w})
			}
			f.pass(seconds * time.Second)
			r.stop()
			f.work.Wait()
		})
		total := 0
		for _, w := range weights {
			total += w
		}
		for i, w := range weights {
			want := float64(rate*seconds*w) / float64(total)
			if got := float64(by[fmt.Sprint(i)]); math.Abs(got-want) > 0.03*want+5 {
				rt.Fatalf("campaign %d of weight %d in %v sent %.0f, want %.0f", i, w, weights, got, want)
			}
		}
	})
}
