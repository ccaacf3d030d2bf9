package pacing

import (
	"context"
	"fmt"
	"time"
)

// Push holds what decides when a push may go.
type Push struct {
	Campaign string
	Weight   int     // the campaign's weight within its priority; below 1 counts as 1
	Priority int     // the highest goes first, at any weight
	Cap      float64 // the campaign's pushes a second over all replicas; 0 for no limit
	CapKey   string  // Redis key of the campaign's rate: its key with keys.SuffixPace
}

// Wait returns nil when one push may go. It returns the context's error, or Run's once Run has
// ended. The permit of a cancelled wait goes to another push.
func (g *Governor) Wait(ctx context.Context, p Push) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.Cap > 0 && p.CapKey == "" {
		return fmt.Errorf("pace campaign %s: Push.Cap needs a Push.CapKey", p.Campaign)
	}
	w, err := g.enter(p, time.Now())
	if w != nil {
		err = g.await(ctx, w)
	}
	if err == nil {
		g.metrics.granted.Inc()
	}
	return err
}

func (g *Governor) await(ctx context.Context, w *waiter) error {
	select {
	case err := <-w.ready:
		g.recycle(w)
		return err
	case <-ctx.Done():
		g.leave(w, time.Now())
		return ctx.Err()
	}
}

// enter takes a permit that is ready, or joins the campaign's queue.
func (g *Governor) enter(p Push, now time.Time) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopErr != nil {
		return nil, g.stopErr
	}
	l := g.scheduler.flowOf(p, now)
	g.quota.arrived++
	if l.cap != nil {
		l.cap.arrived++
	}
	if g.scheduler.waiting == 0 {
		g.expire(now)
		l.expire(now)
		if g.quota.isReady(now) && l.isAllowed(now) {
			l.enter()
			g.grant(l)
			if !g.quota.asking && g.quota.countWanted(now, 0) > 0 {
				g.poke(now)
			}
			return nil, nil
		}
	}
	w := g.waiter()
	g.scheduler.push(l, w)
	g.poke(now)
	return w, nil
}

// grant spends the permits of one push.
func (g *Governor) grant(l *flow) {
	l.charge()
	g.quota.spend()
}

// leave removes a waiter. If it has got a permit meanwhile, another push gets that.
func (g *Governor) leave(w *waiter, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case err := <-w.ready:
		if err == nil {
			g.putBack(w.flow, now)
		}
	default:
		g.scheduler.remove(w)
	}
	g.spare = append(g.spare, w)
}

// putBack returns the permits of a push that does not go. A closed gate or a halt drops the
// project's permit.
func (g *Governor) putBack(l *flow, now time.Time) {
	if l.cap != nil {
		l.cap.putBack(now)
	}
	if !g.gate.isClosed(now) && !g.halted {
		g.quota.putBack(now)
		g.poke(now)
	}
}

// waiter returns a used waiter if there is one, because its channel is most of the cost of a wait.
func (g *Governor) waiter() *waiter {
	if last := len(g.spare) - 1; last >= 0 {
		w := g.spare[last]
		g.spare = g.spare[:last]
		return w
	}
	return &waiter{ready: make(chan error, 1)}
}

func (g *Governor) recycle(w *waiter) {
	g.mu.Lock()
	g.spare = append(g.spare, w)
	g.mu.Unlock()
}

// failWaiters fails all waits, and later ones.
func (g *Governor) failWaiters(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopErr = err
	for l := range g.scheduler.all() {
		for l.waiting > 0 {
			w := l.first
			g.scheduler.remove(w)
			w.ready <- err
		}
	}
}
