package dispatcher

import (
	"context"
	"time"

	"fanfare/internal/pacing"
)

// Pacer says when a push may go, by the project's quota and gate and the campaign's rate.
type Pacer interface {
	// Wait returns when one push may go, or with the context's error.
	Wait(ctx context.Context, p pacing.Push) error
	// IsBlocked reports whether a gate or a halt blocks all pushes now.
	IsBlocked() bool
	// CloseGate stops sending in all replicas for retryAfter, after a project-wide 429.
	CloseGate(ctx context.Context, retryAfter time.Duration, reason string) error
	// LongestGate is the limit of a Retry-After; 0: no limit.
	LongestGate() time.Duration
}

// unpaced lets every push go at once, for an endpoint of the operator's own that has no quota.
type unpaced struct{}

func (unpaced) Wait(ctx context.Context, _ pacing.Push) error          { return ctx.Err() }
func (unpaced) IsBlocked() bool                                        { return false }
func (unpaced) LongestGate() time.Duration                             { return 0 }
func (unpaced) CloseGate(context.Context, time.Duration, string) error { return nil }

// pacingPush is what the pace of one push of the campaign depends on.
func (c *activeCampaign) pacingPush() pacing.Push {
	t := c.settings.Load()
	return pacing.Push{Campaign: c.id, Weight: t.weight, Priority: t.priority, Cap: t.rate, CapKey: c.paceKey}
}
