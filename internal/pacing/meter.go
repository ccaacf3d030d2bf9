package pacing

import (
	"context"
	"time"
)

const (
	// tick is how often permits are handed out at most: each time all that are due, for a timer a push would cost more than the
	// push's own share of the work.
	tick = time.Millisecond
	// rest is how long the meter looks at nothing when there is nothing to look at.
	rest = time.Hour
	// sweepEvery is how often campaigns that are gone are forgotten.
	sweepEvery = 5 * time.Second
)

// meter hands out permits as they fall due, and sees to it that there are some.
func (g *Governor) meter(ctx context.Context) {
	timer := time.NewTimer(rest)
	defer timer.Stop()
	for {
		now := time.Now()
		timer.Reset(g.turn(ctx, now).Sub(now))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-g.wake:
		}
	}
}

// poke has the meter look at once, unless it is about to.
func (g *Governor) poke(now time.Time) {
	if g.wakes.Sub(now) <= tick {
		return
	}
	g.wakes = now
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// turn hands out what is due, asks for what is needed, and returns when to look again.
func (g *Governor) turn(ctx context.Context, now time.Time) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expire(now)
	for l := range g.turns.all() {
		l.expire(now)
	}
	for g.turns.waiting > 0 && g.quota.ready(now) {
		l := g.turns.next(now)
		if l == nil {
			break
		}
		w := l.first
		g.turns.remove(w)
		g.grant(l)
		w.ready <- nil
	}
	if now.Sub(g.swept) >= sweepEvery {
		g.swept = now
		g.turns.sweep(now)
	}
	g.wakes = later(g.provide(ctx, now), now.Add(tick))
	return g.wakes
}

// expire drops the project's permits that are too late.
func (g *Governor) expire(now time.Time) { g.metrics.dropped.Add(float64(g.quota.expire(now))) }

// provide asks for the permits that are needed, and returns when something is due.
func (g *Governor) provide(ctx context.Context, now time.Time) time.Time {
	next := now.Add(rest)
	g.reassert(ctx, now, &next)
	if g.gate.closed(now) {
		next = sooner(next, g.gate.until)
		if !g.quota.peek {
			return next
		}
	} else {
		for l := range g.turns.all() {
			if l.cap != nil && l.waiting > 0 {
				g.supply(ctx, l.cap, l.waiting, now, &next)
			}
		}
	}
	g.supply(ctx, g.quota, g.turns.demand(now), now, &next)
	return next
}

// supply asks for more permits of one purse where pushes wait for them, and brings forward when to look again: for a permit
// that falls due, or to ask.
func (g *Governor) supply(ctx context.Context, p *permitBuffer, waiting int, now time.Time, next *time.Time) {
	if waiting > 0 && len(p.shares) > 0 && p.next().After(now) {
		*next = sooner(*next, p.next())
	}
	want := p.wants(now, waiting)
	if p.asking || (want == 0 && !p.peek) {
		return
	}
	if now.Before(p.again) {
		*next = sooner(*next, p.again)
		return
	}
	g.ask(ctx, p, want, now)
}
