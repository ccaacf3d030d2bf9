package pacing

import (
	"context"
	"time"
)

const (
	// tick is the shortest time between two rounds of the meter. Each round hands out all permits
	// that are due, since a timer per push costs more than the push.
	tick = time.Millisecond
	// restInterval is the meter's timer when nothing is due.
	restInterval = time.Hour
	// sweepInterval is how often the scheduler forgets idle campaigns.
	sweepInterval = 5 * time.Second
)

// meter hands out permits when they are due, and asks for more.
func (g *Governor) meter(ctx context.Context) {
	timer := time.NewTimer(restInterval)
	defer timer.Stop()
	for {
		now := time.Now()
		timer.Reset(g.meterOnce(ctx, now).Sub(now))
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-g.wake:
		}
	}
}

// poke makes the meter run at once, unless it is about to.
func (g *Governor) poke(now time.Time) {
	if g.wakeAt.Sub(now) <= tick {
		return
	}
	g.wakeAt = now
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

// meterOnce hands out due permits, asks for more, and returns when to run again.
func (g *Governor) meterOnce(ctx context.Context, now time.Time) time.Time {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.expire(now)
	for l := range g.scheduler.all() {
		l.expire(now)
	}
	for g.scheduler.waiting > 0 && g.quota.isReady(now) {
		l := g.scheduler.next(now)
		if l == nil {
			break
		}
		w := l.first
		g.scheduler.remove(w)
		g.grant(l)
		w.ready <- nil
	}
	if now.Sub(g.lastSweep) >= sweepInterval {
		g.lastSweep = now
		g.scheduler.sweep(now)
	}
	g.wakeAt = later(g.refill(ctx, now), now.Add(tick))
	return g.wakeAt
}

// expire drops the project's permits that are too late.
func (g *Governor) expire(now time.Time) { g.metrics.dropped.Add(float64(g.quota.expire(now))) }

// refill asks for the permits that are needed, and returns when something is due.
func (g *Governor) refill(ctx context.Context, now time.Time) time.Time {
	next := now.Add(restInterval)
	g.reassert(ctx, now, &next)
	if g.gate.isClosed(now) {
		next = earlier(next, g.gate.until)
		if !g.quota.peek {
			return next
		}
	} else {
		for l := range g.scheduler.all() {
			if l.cap != nil && l.waiting > 0 {
				g.refillBuffer(ctx, l.cap, l.waiting, now, &next)
			}
		}
	}
	g.refillBuffer(ctx, g.quota, g.scheduler.demand(now), now, &next)
	return next
}

// refillBuffer asks for more permits of one buffer if pushes wait for them. It moves next forward
// to the next permit or request.
func (g *Governor) refillBuffer(ctx context.Context, p *permitBuffer, waiting int, now time.Time, next *time.Time) {
	if waiting > 0 && len(p.shares) > 0 && p.nextAt().After(now) {
		*next = earlier(*next, p.nextAt())
	}
	want := p.countWanted(now, waiting)
	if p.asking || (want == 0 && !p.peek) {
		return
	}
	if now.Before(p.askAfter) {
		*next = earlier(*next, p.askAfter)
		return
	}
	g.requestLease(ctx, p, want, now)
}
