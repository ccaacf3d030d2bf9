package pacing

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestWeights(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		r := f.start()
		f.serve(r, 200, Push{Campaign: "big", Weight: 3})
		f.serve(r, 20, Push{Campaign: "small"})
		f.serve(r, 20, Push{Campaign: "two", Weight: 2})
		f.pass(6 * time.Second)
		wantBetween(t, "weight 1", f.of("small"), 960, 1040)
		wantBetween(t, "weight 2", f.of("two"), 1920, 2080)
		wantBetween(t, "weight 3", f.of("big"), 2880, 3120)
		r.stop()
	})
}

// A campaign that joins late has no claim on the time before.
func TestLatecomerClaimsNoPast(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		r := f.start()
		f.serve(r, 50, Push{Campaign: "old"})
		f.pass(5 * time.Second)
		f.serve(r, 50, Push{Campaign: "new"})
		f.pass(2 * time.Second)
		wantBetween(t, "half of 2 s", f.of("new"), 950, 1050)
		r.stop()
	})
}

// Nor does one that comes back.
func TestPauseIsNoClaim(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		r := f.start()
		f.serve(r, 50, Push{Campaign: "old"})
		must(t, r.Wait(f.t.Context(), Push{Campaign: "new"}))
		f.pass(5 * time.Second)
		f.serve(r, 50, Push{Campaign: "new"})
		f.pass(2 * time.Second)
		wantBetween(t, "half of 2 s", f.of("new"), 950, 1050)
		r.stop()
	})
}

// Nor does one that its own rate, now lifted, kept behind the others.
func TestCapIsNoClaim(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		r := f.start()
		f.serve(r, 50, Push{Campaign: "other"})
		var lifted atomic.Bool
		for range 50 {
			f.work.Go(func() {
				for {
					p := Push{Campaign: "capped", Cap: 100, CapKey: "{campaign:capped}:pace"}
					if lifted.Load() {
						p.Cap = 0
					}
					if r.Wait(context.Background(), p) != nil {
						return
					}
					f.record(p.Campaign)
				}
			})
		}
		f.pass(10 * time.Second)
		lifted.Store(true)
		before := f.of("other")
		f.pass(2 * time.Second)
		wantBetween(t, "half of 2 s", f.of("other")-before, 950, 1050)
		r.stop()
	})
}

func TestPriority(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		r := f.start()
		f.serve(r, 100, Push{Campaign: "bulk", Weight: 100})
		f.pass(time.Second)
		bulk := f.of("bulk")
		f.serve(r, 50, Push{Campaign: "urgent", Priority: 1})
		f.pass(2 * time.Second)
		wantBetween(t, "bulk meanwhile", f.of("bulk")-bulk, 0, 10)
		wantBetween(t, "urgent", f.of("urgent"), 1940, 2060)
		r.stop()
	})
}

func TestFirstComeFirstServed(t *testing.T) {
	inBubble(t, steady(100), func(f *fleet) {
		r := f.start()
		var order []int
		for i := range 30 {
			f.work.Go(func() {
				if r.Wait(context.Background(), Push{Campaign: "42"}) == nil {
					f.mu.Lock()
					defer f.mu.Unlock()
					order = append(order, i)
				}
			})
			synctest.Wait()
		}
		f.pass(time.Second)
		f.mu.Lock()
		defer f.mu.Unlock()
		wantEqual(t, "served", len(order), 30)
		for i, got := range order {
			wantEqual(t, "place", got, i)
		}
		r.stop()
	})
}

// A campaign's own rate holds over all replicas and leaves the rest to others. It makes no burst
// behind a gate.
func TestCap(t *testing.T) {
	for _, rate := range []float64{0.5, 10, 150} {
		inBubble(t, steady(1000), func(f *fleet) {
			capped := Push{Campaign: "capped", Weight: 10, Cap: rate, CapKey: "{campaign:capped}:pace"}
			var all []*replica
			for range 4 {
				r := f.start()
				f.serve(r, 50, capped)
				f.serve(r, 50, Push{Campaign: "other"})
				all = append(all, r)
			}
			f.pass(2 * time.Second)
			before, others := f.of("capped"), f.of("other")
			f.pass(20 * time.Second)
			wantBetween(t, "capped in 20 s", float64(f.of("capped")-before), rate*20*0.97-1, rate*20*1.02+1)
			wantBetween(t, "others in 20 s", float64(f.of("other")-others), (1000-rate)*20*0.97, (1000-rate)*20*1.03)
			must(t, all[0].CloseGate(f.t.Context(), 30*time.Second, "429"))
			f.pass(30*time.Second + 100*time.Millisecond)
			before = f.of("capped")
			f.pass(2 * time.Second)
			wantBetween(t, "capped behind the gate", float64(f.of("capped")-before), 0, rate*2*1.05+8)
			f.stop(all)
		})
	}
}

// If the project's quota is scarce, a campaign's own permits wait for it.
func TestCapUnderAScarceQuota(t *testing.T) {
	inBubble(t, steady(20), func(f *fleet) {
		r := f.start()
		f.serve(r, 50, Push{Campaign: "capped", Cap: 15, CapKey: "{campaign:capped}:pace"})
		f.serve(r, 50, Push{Campaign: "other"})
		f.pass(20 * time.Second)
		wantBetween(t, "capped", f.of("capped"), 185, 215)
		wantBetween(t, "other", f.of("other"), 185, 215)
		r.stop()
	})
}

// Cancelled waits leave their permits to others.
func TestCancelledWaitsLoseNothing(t *testing.T) {
	inBubble(t, steady(200), func(f *fleet) {
		r := f.start()
		f.serve(r, 20, Push{Campaign: "42"})
		for i := range 50 {
			f.work.Go(func() {
				for r.ctx.Err() == nil {
					ctx, cancel := context.WithTimeout(r.ctx, time.Duration(1+i)*time.Millisecond)
					if r.Wait(ctx, Push{Campaign: "hasty"}) == nil {
						f.record("hasty")
					}
					cancel()
				}
			})
		}
		f.pass(11 * time.Second)
		wantBetween(t, "sent in 10 s", f.count(time.Second, 11*time.Second), 1960, 2020)
		r.stop()
	})
}

// A permit that arrives just as its waiter gives up goes to the next one. So does one of the
// campaign's own rate.
func TestPermitOfOneWhoGaveUp(t *testing.T) {
	for _, p := range []Push{{Campaign: "42"}, {Campaign: "42", Cap: 10, CapKey: "{campaign:42}:pace"}} {
		inBubble(t, steady(10), func(f *fleet) {
			g, now := f.governor(), time.Now()
			second := permitRun{from: now, span: time.Second, n: 10}
			g.quota.shares = []permitRun{second}
			if l := g.scheduler.flowOf(p, now); l.cap != nil {
				l.cap.shares = []permitRun{second}
			}
			first, err := g.enter(p, now)
			if first != nil || err != nil {
				t.Fatalf("a permit is there, and was not taken: %v", err)
			}
			w, _ := g.enter(p, now)
			soon := now.Add(100 * time.Millisecond)
			g.meterOnce(f.t.Context(), soon)
			wantEqual(t, "granted", len(w.ready), 1)
			g.leave(w, soon)
			again, _ := g.enter(p, soon.Add(time.Millisecond))
			if again != nil {
				t.Errorf("the permit of one who gave up was lost; rate of its own: %v", p.Cap)
			}
			f.pass(time.Second)
		})
	}
}

func TestWaitEnds(t *testing.T) {
	inBubble(t, steady(10), func(f *fleet) {
		r := f.start()
		must(t, r.Halt(f.t.Context(), "test"))
		ctx, cancel := context.WithCancel(f.t.Context())
		outcomes := make(chan error, 2)
		f.work.Go(func() { outcomes <- r.Wait(ctx, Push{Campaign: "42"}) })
		synctest.Wait()
		cancel()
		if err := <-outcomes; !errors.Is(err, context.Canceled) {
			t.Errorf("a wait that was cut off: %v", err)
		}
		f.work.Go(func() { outcomes <- r.Wait(context.Background(), Push{Campaign: "42"}) })
		synctest.Wait()
		r.stop()
		if err := <-outcomes; !errors.Is(err, context.Canceled) {
			t.Errorf("a wait when Run ended: %v", err)
		}
		if err := r.Wait(context.Background(), Push{Campaign: "42"}); !errors.Is(err, context.Canceled) {
			t.Errorf("a wait after Run ended: %v", err)
		}
	})
}

func TestCapNeedsAKey(t *testing.T) {
	inBubble(t, steady(10), func(f *fleet) {
		if f.governor().Wait(f.t.Context(), Push{Campaign: "42", Cap: 1}) == nil {
			t.Error("a rate without a key was taken")
		}
	})
}

func TestCampaignsAreForgotten(t *testing.T) {
	inBubble(t, steady(1000), func(f *fleet) {
		r := f.start()
		for _, id := range []string{"a", "b", "c"} {
			must(t, r.Wait(f.t.Context(), Push{Campaign: id, Priority: len(id), Cap: 100, CapKey: "{campaign:" + id + "}:pace"}))
		}
		f.pass(6 * time.Second)
		must(t, r.Wait(f.t.Context(), Push{Campaign: "d"}))
		r.mu.Lock()
		wantEqual(t, "campaigns kept for a while", len(r.scheduler.flows), 4)
		r.mu.Unlock()
		f.pass(time.Minute)
		must(t, r.Wait(f.t.Context(), Push{Campaign: "d"}))
		r.mu.Lock()
		wantEqual(t, "campaigns kept", len(r.scheduler.flows), 1)
		wantEqual(t, "classes kept", len(r.scheduler.classes), 1)
		r.mu.Unlock()
		r.stop()
	})
}

func TestMetrics(t *testing.T) {
	o := steady(1000)
	registry := prometheus.NewRegistry()
	o.Registerer = registry
	inBubble(t, o, func(f *fleet) {
		r := f.start()
		f.serve(r, 30, Push{Campaign: "42"})
		f.pass(2 * time.Second)
		must(t, r.CloseGate(f.t.Context(), time.Minute, "429"))
		f.pass(time.Second)
		found := map[string]float64{}
		gather := func() {
			families, err := registry.Gather()
			must(t, err)
			for _, family := range families {
				m := family.GetMetric()[0]
				found[family.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
		gather()
		wantEqual(t, "gate", found["fanfare_pacing_gate_closed"], 1)
		wantEqual(t, "halted", found["fanfare_pacing_halted"], 0)
		must(t, r.Halt(f.t.Context(), "test"))
		f.pass(time.Second)
		gather()
		wantEqual(t, "permits", found["fanfare_pacing_permits_total"], float64(f.count(0, f.now()+1)))
		wantEqual(t, "waiting", found["fanfare_pacing_waiting"], 30)
		wantEqual(t, "halted", found["fanfare_pacing_halted"], 1)
		wantBetween(t, "rate", found["fanfare_pacing_rate"], 950, 1050)
		wantBetween(t, "shares", found["fanfare_pacing_shares_total"], 50, 250)
		wantBetween(t, "dropped", found["fanfare_pacing_permits_dropped_total"], 1, 2*1000*aloneTime.Seconds()) // the share being spent, and the next one
		r.stop()
	})
	if _, err := newGovernor(newMemory(), project(), o); err == nil {
		t.Error("two governors share their metrics")
	}
}
