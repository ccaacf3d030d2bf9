package inflight

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
)

type rival struct {
	name string
	make func(testing.TB) bound
}

func rivals(fewest, most int) []rival {
	swapped := func(r rule) func(testing.TB) bound {
		return func(t testing.TB) bound {
			l := limiter(t, Options{Min: fewest, Max: most})
			l.rule = r
			return ours{l}
		}
	}
	return []rival{
		{"none", func(testing.TB) bound { return fixed(most) }},
		{"failsafe-go, window of 1 s", func(testing.TB) bound { return newFailsafe(fewest, most, second) }},
		{"failsafe-go, window of 0.1 s", func(testing.TB) bound { return newFailsafe(fewest, most, second/10) }},
		{"AIMD", swapped(aimd{fewest, most})},
		{"Gradient2", swapped(&gradient{min: fewest, max: most})},
	}
}

// fixed is what there is without a limiter: the pool's size.
type fixed int

func (f fixed) acquire(context.Context) (func(Outcome), error) { return func(Outcome) {}, nil }
func (f fixed) limit() int                                     { return int(f) }

// failsafe is failsafe-go's adaptive limiter. Its limit cannot be set from outside, so a refusal
// can only be kept from its sight.
type failsafe struct {
	adaptivelimiter.AdaptiveLimiter[any]
}

// It begins at twice what is needed: its own steps, of about three a window, would not have reached
// that when the course begins.
func newFailsafe(fewest, most int, window time.Duration) failsafe {
	return failsafe{adaptivelimiter.NewBuilder[any]().
		WithLimits(uint(fewest), uint(most), uint(most)/10).
		WithRecentWindow(window, 30*time.Second, 50).
		Build()}
}

func (f failsafe) acquire(ctx context.Context) (func(Outcome), error) {
	p, err := f.AcquirePermit(ctx)
	if err != nil {
		return nil, err
	}
	return func(o Outcome) {
		if o.Signal == Good {
			p.Record()
		} else {
			p.Drop()
		}
	}, nil
}

func (f failsafe) limit() int { return f.Limit() }

// gradient is Netflix's Gradient2: the ratio of the long-term latency to the present one.
type gradient struct {
	min, max int
	long     float64
	estimate float64
}

func (g *gradient) next(limit int, s sample) int {
	short := float64(s.latency)
	if g.estimate == 0 {
		g.long, g.estimate = short, float64(limit)
	}
	if s.refused > 0 {
		g.estimate = max(float64(g.min), g.estimate*brakeFactor)
		return int(g.estimate)
	}
	g.long += (short - g.long) * 2 / 601
	if g.long > 2*short {
		g.long *= 0.95
	}
	if float64(s.peak) < g.estimate/2 {
		return int(g.estimate)
	}
	ratio := max(0.5, min(1, 1.5*g.long/short))
	next := g.estimate*ratio + max(4, math.Sqrt(g.estimate))
	g.estimate = max(float64(g.min), min(float64(g.max), g.estimate*0.8+next*0.2))
	return int(g.estimate)
}

// aimd is TCP's old rule: only refusals lower the limit.
type aimd struct{ min, max int }

func (a aimd) next(limit int, s sample) int {
	switch {
	case s.refused > 0:
		return max(a.min, int(float64(limit)*brakeFactor))
	case s.pressed:
		return min(a.max, limit+max(1, limit/10))
	default:
		return limit
	}
}
