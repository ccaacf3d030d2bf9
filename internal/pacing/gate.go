package pacing

import (
	"context"
	"fmt"
	"strconv"
	"strings"
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

// The reasons of halts that end by themselves begin with one of these: a dispatcher takes them back when FCM answers a probe.
const (
	RefusedCredentials = "credentials refused: "
	WrongEndpoint      = "wrong endpoint: "
)

// EndsByItself reports whether a halt is taken back once FCM answers a probe.
func (h Halt) EndsByItself() bool {
	return strings.HasPrefix(h.Reason, RefusedCredentials) || strings.HasPrefix(h.Reason, WrongEndpoint)
}

// Halt lets nothing go, in any replica, until the same reason is resumed, or all are. Several may stand at once. This replica
// stops before Redis hears of it, but goes on when the error says that Redis did not: repeat it.
func (g *Governor) Halt(ctx context.Context, reason string) error {
	g.mu.Lock()
	g.metrics.dropped.Add(float64(g.quota.void()))
	g.halted = true
	g.quota.again = time.Now().Add(recheck)
	g.mu.Unlock()
	era, err := g.book.halt(ctx, reason, g.o.By)
	if err != nil {
		return fmt.Errorf("halt project: %w", err)
	}
	g.hear(era)
	return nil
}

// Resume takes back all halts; a ramp follows.
func (g *Governor) Resume(ctx context.Context) error {
	_, err := g.resume(ctx, "")
	return err
}

// ResumeFrom takes back the halt of one reason, whose cause is mended, and tells whether the project goes on: others may stand.
func (g *Governor) ResumeFrom(ctx context.Context, reason string) (free bool, err error) {
	if reason == "" {
		return false, fmt.Errorf("resume project: no reason is named")
	}
	return g.resume(ctx, reason)
}

func (g *Governor) resume(ctx context.Context, reason string) (bool, error) {
	era, free, err := g.book.resume(ctx, reason)
	if err != nil {
		return false, fmt.Errorf("resume project: %w", err)
	}
	g.hear(era)
	return free, nil
}

// heard is the listener's; what it cannot read, and what it may have missed, is asked for.
func (g *Governor) heard(message string) {
	era, err := strconv.ParseInt(message, 10, 64)
	if err != nil {
		era = 0
	}
	g.hear(era)
}

// hear makes void what was leased in an earlier era, and has Redis asked how things stand.
func (g *Governor) hear(era int64) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if era > g.quota.era {
		g.metrics.dropped.Add(float64(g.quota.void()))
		g.quota.era = era
	}
	g.quota.peek, g.quota.again = true, now
	g.poke(now)
}

// Shut tells that nothing may go now, because of a gate or a halt. A push that had to wait for something else after its
// Wait asks, and waits again.
func (g *Governor) Blocked() bool {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gate.closed(now) || g.halted
}
