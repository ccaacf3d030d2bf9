package pacing

import (
	"context"
	"fmt"
	"time"
)

const (
	// noRetryAfter is how long the gate stays closed when FCM did not say.
	noRetryAfter = time.Minute
	// reassertEvery is how often Redis is told of a gate that it does not know of.
	reassertEvery = time.Second
)

// gate is what this replica knows of the project's. It closes here before it closes in Redis, and stays closed even if Redis
// forgets it.
type gate struct {
	until   time.Time // closed until then
	known   time.Time // the same, as Redis knows it
	reason  string
	telling bool      // Redis is being told
	again   time.Time // tell it not before
}

func (s *gate) closed(now time.Time) bool { return now.Before(s.until) }

// told notes what Redis says. Each reply tells the same end a little differently, which is no reason to answer; an end that is
// much too early is: Redis has forgotten.
func (s *gate) told(until time.Time) {
	if s.until.Sub(until) > reassertEvery {
		s.known = until
		return
	}
	s.known, s.until = later(s.known, until), later(s.until, until)
}

// Close lets nothing go, in any replica, until retryAfter from now: what a 429 of the whole project demands. Without one it is
// a minute; one that is longer than Options.MaxGate is cut. A gate that is closed already is only ever extended. After it comes
// a ramp. This replica stops before Redis hears of it; should Redis not hear, the error says so, and Run keeps telling it.
func (g *Governor) CloseGate(ctx context.Context, retryAfter time.Duration, reason string) error {
	wait := min(retryAfter, g.o.MaxGate)
	if retryAfter <= 0 {
		wait = min(noRetryAfter, g.o.MaxGate)
	}
	until := time.Now().Add(wait)
	g.mu.Lock()
	if until.Sub(g.gate.until) > reassertEvery { // a crowd of 429s is one gate
		g.log.Warn("close gate: nothing goes for a while", "for", wait, "retry_after", retryAfter, "cut", retryAfter > wait, "reason", reason)
	}
	if until.After(g.gate.until) {
		g.gate.until, g.gate.reason = until, reason
	}
	g.metrics.dropped.Add(float64(g.quota.void()))
	tell := !g.gate.telling
	g.gate.telling = true
	g.mu.Unlock()
	if !tell {
		return nil // whoever is telling Redis goes on until it knows of the latest
	}
	if err := g.tell(ctx); err != nil {
		return fmt.Errorf("close gate in all replicas: %w", err)
	}
	return nil
}

// LongestGate is what a longer Retry-After is cut to.
func (g *Governor) LongestGate() time.Duration { return g.o.MaxGate }

// tell makes Redis know of the gate; its holder has set telling. A crowd of 429s so costs few calls.
func (g *Governor) tell(ctx context.Context) error {
	for {
		g.mu.Lock()
		now := time.Now()
		left, reason, until := g.gate.until.Sub(now), g.gate.reason, g.gate.until
		if left <= 0 || !g.gate.until.After(g.gate.known) {
			g.gate.telling = false
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		era, left, err := g.book.shut(ctx, left, g.o.MaxGate, reason)
		g.mu.Lock()
		if err != nil {
			g.gate.telling = false
			g.gate.again = time.Now().Add(reassertEvery)
			g.poke(now)
			g.mu.Unlock()
			return err
		}
		g.gate.told(later(until, time.Now().Add(left)))
		g.quota.era = max(g.quota.era, era)
		g.poke(now)
		g.mu.Unlock()
	}
}

// reassert tells Redis of a gate that it did not hear of, or has forgotten. The lock is held.
func (g *Governor) reassert(ctx context.Context, now time.Time, next *time.Time) {
	if !g.gate.closed(now) || !g.gate.until.After(g.gate.known) || g.gate.telling {
		return
	}
	if now.Before(g.gate.again) {
		*next = sooner(*next, g.gate.again)
		return
	}
	g.gate.telling = true
	g.work.Go(func() {
		telling, cancel := context.WithTimeout(ctx, askTimeout)
		defer cancel()
		if err := g.tell(telling); err != nil && ctx.Err() == nil {
			g.log.Warn("close gate in all replicas: Redis does not answer, and is told again", "error", err)
		}
	})
}
