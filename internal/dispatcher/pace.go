package dispatcher

import (
	"context"
	"time"

	"fanfare/internal/inflight"
	"fanfare/internal/pacing"
)

// Pacer says when a push may go, by the project's quota and gate and the campaign's rate.
type Pacer interface {
	// Wait returns when one push may go, or with the context's error.
	Wait(ctx context.Context, p pacing.Push) error
	// Blocked reports whether a gate or a halt blocks all pushes now.
	Blocked() bool
	// CloseGate stops sending in all replicas for retryAfter, after a project-wide 429.
	CloseGate(ctx context.Context, retryAfter time.Duration, reason string) error
	// LongestGate is the limit of a Retry-After; 0: no limit.
	LongestGate() time.Duration
}

// unpaced lets every push go at once, for an endpoint of the operator's own that has no quota.
type unpaced struct{}

func (unpaced) Wait(ctx context.Context, _ pacing.Push) error          { return ctx.Err() }
func (unpaced) Blocked() bool                                          { return false }
func (unpaced) LongestGate() time.Duration                             { return 0 }
func (unpaced) CloseGate(context.Context, time.Duration, string) error { return nil }

// waitForTurn waits until the campaign may push and the limiter has room on the wire. The pace
// comes first, because a push that waits for it is not on the wire. If the gate closes during the
// second wait, it starts again.
func (d *Dispatcher) waitForTurn(camp *activeCampaign) (*inflight.Permit, error) {
	for {
		if err := d.deps.Pacer.Wait(camp.ctx, camp.pacingPush()); err != nil {
			return nil, err
		}
		permit, err := d.deps.Wire.Acquire(camp.ctx)
		if err != nil {
			return nil, err
		}
		if !d.deps.Pacer.Blocked() {
			return permit, nil
		}
		permit.Done(inflight.Outcome{})
	}
}

// pacingPush is what the pace of one push of the campaign depends on.
func (s *activeCampaign) pacingPush() pacing.Push {
	t := s.settings.Load()
	return pacing.Push{Campaign: s.id, Weight: t.weight, Priority: t.priority, Cap: t.rate, CapKey: s.paceKey}
}
