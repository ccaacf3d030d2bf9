package inflight

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

// Whatever is measured, the limit stays between its bounds.
func TestTheLimitStaysWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fewest := rapid.IntRange(1, 100).Draw(t, "min")
		most := fewest + rapid.IntRange(0, 1000).Draw(t, "more")
		c := &climber{min: fewest, max: most, stride: boldFactor}
		limit, at := fewest, time.Unix(0, 0)
		for range rapid.IntRange(1, 100).Draw(t, "windows") {
			at = at.Add(time.Duration(rapid.Int64Range(int64(minWindow), int64(10*time.Second)).Draw(t, "took")))
			answers := rapid.IntRange(1, 5000).Draw(t, "answers")
			limit = c.next(limit, sample{
				at:      at,
				rate:    rapid.Float64Range(0, 1e5).Draw(t, "rate"),
				latency: time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "latency")),
				answers: answers,
				refused: rapid.IntRange(0, answers).Draw(t, "refused"),
				pressed: rapid.Bool().Draw(t, "pressed"),
				peak:    rapid.IntRange(0, limit).Draw(t, "peak"),
			})
			if limit < fewest || limit > most {
				t.Fatalf("a limit of %d, bounds %d to %d", limit, fewest, most)
			}
		}
	})
}

// A service that refuses everything gets no more than the minimum, because nothing shows that it
// could take more.
func TestTheLimitStaysDownWhileAllAreRefused(t *testing.T) {
	c := &climber{min: 50, max: 500, stride: boldFactor}
	limit, at := 500, time.Unix(0, 0)
	for i := range 600 {
		at = at.Add(time.Second)
		limit = c.next(limit, sample{at: at, answers: limit, refused: limit, pressed: true, peak: limit})
		if i >= 60 && limit > c.min {
			t.Fatalf("a limit of %d after %d s, want %d", limit, i, c.min)
		}
	}
}

// crowd are those who come for permits, as a model of the limiter.
type crowd struct {
	l       *Limiter
	held    []*Permit
	waiting []*waiter // in the order of their coming
}

type waiter struct {
	leave  context.CancelFunc
	permit Permit
	err    error
	over   bool
}

func (c *crowd) come(ctx context.Context) {
	w := new(waiter)
	ctx, w.leave = context.WithCancel(ctx)
	c.waiting = append(c.waiting, w)
	go func() {
		w.err = c.l.Acquire(ctx, &w.permit)
		w.over = true
	}()
	synctest.Wait()
}

// settle takes those who were served out of the queue. They must have stood at its head.
func (c *crowd) settle(t *rapid.T) {
	synctest.Wait()
	for len(c.waiting) > 0 && c.waiting[0].over {
		w := c.waiting[0]
		if w.err != nil {
			t.Fatalf("one who did not leave was refused: %v", w.err)
		}
		w.leave()
		c.held, c.waiting = append(c.held, &w.permit), c.waiting[1:]
	}
	if slices.ContainsFunc(c.waiting, func(w *waiter) bool { return w.over }) {
		t.Fatal("one who came later was served first")
	}
	switch l := c.l; {
	case l.inFlight != len(c.held) || l.waiting.Len() != len(c.waiting):
		t.Fatalf("%d in flight and %d waiting, want %d and %d", l.inFlight, l.waiting.Len(), len(c.held), len(c.waiting))
	case l.inFlight > l.most || l.limit > l.most || l.limit < l.fewest:
		t.Fatalf("%d in flight of %d, bounds %d to %d", l.inFlight, l.limit, l.fewest, l.most)
	case l.inFlight < l.limit && len(c.waiting) > 0:
		t.Fatalf("%d wait although only %d of %d are in flight", len(c.waiting), l.inFlight, l.limit)
	}
}

func TestPermitsAreServedInOrderAndNeverLeak(t *testing.T) {
	outcomes := rapid.SampledFrom([]Signal{Good, Good, Good, Overload, Ignore})
	synctest.Test(t, func(bubble *testing.T) {
		// rapid asks a *testing.T for its deadline, which one in a bubble does not tell.
		rapid.Check(struct{ rapid.TB }{bubble}, func(t *rapid.T) {
			fewest := rapid.IntRange(1, 4).Draw(t, "min")
			l, err := New(Options{Min: fewest, Max: fewest + rapid.IntRange(0, 20).Draw(t, "more")})
			if err != nil {
				t.Fatal(err)
			}
			c := &crowd{l: l}
			done := func(i int, again bool) {
				o := Outcome{Signal: outcomes.Draw(t, "signal"), Latency: 50 * time.Millisecond}
				c.held[i].Done(o)
				if again {
					c.held[i].Done(o)
				}
				c.held = slices.Delete(c.held, i, i+1)
			}
			t.Repeat(map[string]func(*rapid.T){
				"": c.settle,
				"come": func(*rapid.T) {
					c.come(bubble.Context())
				},
				"done": func(t *rapid.T) {
					if len(c.held) > 0 {
						done(rapid.IntRange(0, len(c.held)-1).Draw(t, "which"), rapid.Bool().Draw(t, "again"))
					}
				},
				"leave": func(t *rapid.T) {
					if len(c.waiting) > 0 {
						i := rapid.IntRange(0, len(c.waiting)-1).Draw(t, "which")
						c.waiting[i].leave()
						c.waiting = slices.Delete(c.waiting, i, i+1)
					}
				},
				"time": func(t *rapid.T) {
					<-time.After(time.Duration(rapid.Int64Range(0, int64(time.Second)).Draw(t, "passes")))
				},
			})
			for c.settle(t); len(c.held) > 0; c.settle(t) {
				done(0, false)
			}
			if l.inFlight != 0 || len(c.waiting) != 0 {
				t.Fatalf("in the end %d are in flight, and %d wait", l.inFlight, len(c.waiting))
			}
		})
	})
}
