package pacing

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	// defaultRetryAfter is how long the gate closes when FCM sends no Retry-After.
	defaultRetryAfter = time.Minute
	// reassertInterval is how often the replica writes a gate again that Redis does not know.
	reassertInterval = time.Second
)

// gate is this replica's view of the project's gate. It closes here before it closes in Redis, and
// stays closed even if Redis loses it.
type gate struct {
	until      time.Time // closed until then
	by, reason string    // who closed it, and why; "" if that was not this process
	knownUntil time.Time // the end that Redis knows
	publishing bool      // a call that writes it is under way
	retryAt    time.Time // earliest time of the next attempt
}

func (s *gate) isClosed(now time.Time) bool { return now.Before(s.until) }

// update takes over the end that Redis reported. Replies differ a little for the same end, which
// needs no write. An end that is much too early means that Redis lost the gate.
func (s *gate) update(until time.Time) {
	if s.until.Sub(until) > reassertInterval {
		s.knownUntil = until
		return
	}
	if until.Sub(s.until) > reassertInterval { // another replica or a person closed it
		s.by, s.reason = "", ""
	}
	s.knownUntil, s.until = later(s.knownUntil, until), later(s.until, until)
}

// ByFCM is who closed a gate after a 429. Other gates were closed by a person, such as ann@ops.
const ByFCM = "FCM"

// CloseGate stops sending in all replicas for retryAfter, after a project-wide 429. Zero counts as
// a minute, and Options.MaxGate is the upper bound. It extends a closed gate and never shortens
// one. A ramp follows. This replica stops before it writes to Redis. If the write fails, CloseGate
// returns the error, and Run repeats the write.
func (g *Governor) CloseGate(ctx context.Context, retryAfter time.Duration, reason string) error {
	if retryAfter <= 0 {
		retryAfter = defaultRetryAfter
	}
	return g.closeGate(ctx, retryAfter, ByFCM, reason)
}

// CloseGateByHand does the same because a person wants it.
func (g *Governor) CloseGateByHand(ctx context.Context, wait time.Duration) error {
	return g.closeGate(ctx, wait, g.actor(ctx), "")
}

func (g *Governor) closeGate(ctx context.Context, asked time.Duration, by, reason string) error {
	wait := min(asked, g.o.MaxGate)
	until := time.Now().Add(wait)
	g.mu.Lock()
	if until.Sub(g.gate.until) > reassertInterval { // many 429s at once are one gate
		g.log.Warn("gate closed; sending paused", "for", wait, "retry_after", asked, "cut", asked > wait, "by", by, "reason", reason)
	}
	if until.After(g.gate.until) {
		g.gate.until, g.gate.by, g.gate.reason = until, by, reason
	}
	g.metrics.dropped.Add(float64(g.quota.dropAll()))
	publish := !g.gate.publishing
	g.gate.publishing = true
	g.mu.Unlock()
	if !publish {
		return nil // the call under way continues until Redis knows the latest end
	}
	if err := g.publishGate(ctx); err != nil {
		return fmt.Errorf("close gate in all replicas: %w", err)
	}
	return nil
}

// LongestGate returns the bound of a Retry-After.
func (g *Governor) LongestGate() time.Duration { return g.o.MaxGate }

// publishGate writes the gate to Redis until Redis knows its end. The caller has set publishing, so
// many 429s at once cost few calls.
func (g *Governor) publishGate(ctx context.Context) error {
	for {
		g.mu.Lock()
		now := time.Now()
		left, until, by, reason := g.gate.until.Sub(now), g.gate.until, g.gate.by, g.gate.reason
		if left <= 0 || !g.gate.until.After(g.gate.knownUntil) {
			g.gate.publishing = false
			g.mu.Unlock()
			return nil
		}
		g.mu.Unlock()
		era, left, err := g.shared.closeGate(ctx, left, g.o.MaxGate, reason, by)
		g.mu.Lock()
		if err != nil {
			g.gate.publishing = false
			g.gate.retryAt = time.Now().Add(reassertInterval)
			g.poke(now)
			g.mu.Unlock()
			return err
		}
		g.gate.update(later(until, time.Now().Add(left)))
		g.quota.era = max(g.quota.era, era)
		g.poke(now)
		g.mu.Unlock()
	}
}

// reassert starts a write of a gate that Redis does not know. The caller holds the lock.
func (g *Governor) reassert(ctx context.Context, now time.Time, next *time.Time) {
	if !g.gate.isClosed(now) || !g.gate.until.After(g.gate.knownUntil) || g.gate.publishing {
		return
	}
	if now.Before(g.gate.retryAt) {
		*next = earlier(*next, g.gate.retryAt)
		return
	}
	g.gate.publishing = true
	g.work.Go(func() {
		publishCtx, cancel := context.WithTimeout(ctx, leaseTimeout)
		defer cancel()
		if err := g.publishGate(publishCtx); err != nil && ctx.Err() == nil {
			g.log.Warn("gate not written to Redis; trying again", "error", err)
		}
	})
}

// A halt whose reason begins with one of these ends by itself. A dispatcher resumes the project
// when FCM answers a probe.
const (
	RefusedCredentials = "credentials refused: "
	// ClosedByHand is the halt of a gate that an operator closed until it is opened by hand.
	ClosedByHand  = "the gate is closed by hand"
	WrongEndpoint = "wrong endpoint: "
)

// EndsByItself reports whether a dispatcher resumes the project once FCM answers a probe.
func (h Halt) EndsByItself() bool {
	return strings.HasPrefix(h.Reason, RefusedCredentials) || strings.HasPrefix(h.Reason, WrongEndpoint)
}

// Halt stops sending in all replicas until someone resumes this reason, or all reasons. Several
// reasons may stand at once. This replica stops before it writes to Redis. If the write fails, it
// continues to send: call Halt again.
func (g *Governor) Halt(ctx context.Context, reason string) error {
	g.mu.Lock()
	g.metrics.dropped.Add(float64(g.quota.dropAll()))
	g.halted = true
	g.quota.askAfter = time.Now().Add(recheckInterval)
	g.mu.Unlock()
	era, err := g.shared.halt(ctx, reason, g.actor(ctx))
	if err != nil {
		return fmt.Errorf("halt project: %w", err)
	}
	g.startEra(era)
	return nil
}

// Resume ends all halts. A ramp follows.
func (g *Governor) Resume(ctx context.Context) error {
	_, err := g.resume(ctx, "")
	return err
}

// ResumeFrom ends the halt of one reason, whose cause is fixed. It reports whether the project may
// send now, since other reasons may stand.
func (g *Governor) ResumeFrom(ctx context.Context, reason string) (free bool, err error) {
	if reason == "" {
		return false, errors.New("resume project: reason is missing")
	}
	return g.resume(ctx, reason)
}

func (g *Governor) resume(ctx context.Context, reason string) (bool, error) {
	era, free, err := g.shared.resume(ctx, reason, g.actor(ctx))
	if err != nil {
		return false, fmt.Errorf("resume project: %w", err)
	}
	g.startEra(era)
	return free, nil
}

// receiveSignal handles a message of the project's channel. A message that is no era, or that
// reports a lost connection, makes the replica ask for the state.
func (g *Governor) receiveSignal(message string) {
	era, err := strconv.ParseInt(message, 10, 64)
	if err != nil {
		era = 0
	}
	g.startEra(era)
}

// startEra makes the leases of earlier eras void and asks Redis for the state.
func (g *Governor) startEra(era int64) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if era > g.quota.era {
		g.metrics.dropped.Add(float64(g.quota.dropAll()))
		g.quota.era = era
	}
	g.quota.peek, g.quota.askAfter = true, now
	g.poke(now)
}

// IsBlocked reports whether a gate or a halt stops all sending now. A push that had to wait for
// something else after Wait checks it, and waits again.
func (g *Governor) IsBlocked() bool {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.gate.isClosed(now) || g.halted
}
