package pacing

import (
	"context"
	"fmt"
	"time"
)

// Push is what decides when a push may go.
type Push struct {
	Campaign string
	Weight   int     // its campaign's share among those of the same priority; below 1 counts as 1
	Priority int     // the highest goes first, whatever the others' weight
	Cap      float64 // pushes a second of its campaign over all replicas; 0 is none
	CapKey   string  // where in Redis the campaign's rate is kept: its key with keys.SuffixPace
}

// Wait returns when one push may go, or with the context's error, or Run's when that has ended. Nothing is lost by a wait
// that is cut off: its permit goes to another push.
func (g *Governor) Wait(ctx context.Context, p Push) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if p.Cap > 0 && p.CapKey == "" {
		return fmt.Errorf("pace campaign %s: it has a rate of its own, and no key for it", p.Campaign)
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

// enter takes a permit that is there for whoever comes, or joins the campaign's line.
func (g *Governor) enter(p Push, now time.Time) (*waiter, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.stopped != nil {
		return nil, g.stopped
	}
	l := g.turns.line(p, now)
	g.quota.came++
	if l.cap != nil {
		l.cap.came++
	}
	if g.turns.waiting == 0 {
		g.expire(now)
		l.expire(now)
		if g.quota.ready(now) && l.allowed(now) {
			l.enter()
			g.grant(l)
			if !g.quota.asking && g.quota.wants(now, 0) > 0 {
				g.poke(now)
			}
			return nil, nil
		}
	}
	w := g.waiter()
	g.turns.push(l, w)
	g.poke(now)
	return w, nil
}

// grant spends what one push of a campaign needs.
func (g *Governor) grant(l *flow) {
	l.charge()
	g.quota.spend()
}

// leave takes a waiter back out. If its turn has come meanwhile, another push has it.
func (g *Governor) leave(w *waiter, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	select {
	case err := <-w.ready:
		if err == nil {
			g.putBack(w.line, now)
		}
	default:
		g.turns.remove(w)
	}
	g.spare = append(g.spare, w)
}

// putBack returns what a push was granted that does not go. Nothing is kept for a gate to come.
func (g *Governor) putBack(l *flow, now time.Time) {
	if l.cap != nil {
		l.cap.putBack(now)
	}
	if !g.gate.closed(now) && !g.halted {
		g.quota.putBack(now)
		g.poke(now)
	}
}

// waiter is a used one where there is one: its channel is most of the cost of a wait.
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

// dismiss ends all waits, and those to come.
func (g *Governor) dismiss(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stopped = err
	for l := range g.turns.all() {
		for l.waiting > 0 {
			w := l.first
			g.turns.remove(w)
			w.ready <- err
		}
	}
}
