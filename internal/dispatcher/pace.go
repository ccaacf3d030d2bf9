package dispatcher

import (
	"context"
	"time"

	"fanfare/internal/fcm"
	"fanfare/internal/inflight"
	"fanfare/internal/pacing"
)

// Pacer says when a push may go out: the project's quota and gate, and the rate of its campaign.
type Pacer interface {
	// Wait returns when one push may go, or with the context's error.
	Wait(ctx context.Context, p pacing.Push) error
	// Shut tells that nothing may go now, since a gate or a halt has come.
	Blocked() bool
	// Close lets nothing go, in any replica, for as long as a 429 of the whole project demands.
	CloseGate(ctx context.Context, retryAfter time.Duration, reason string) error
	// LongestGate is what a longer Retry-After is cut to; 0: nothing is cut.
	LongestGate() time.Duration
}

// unpaced lets every push go at once: for an endpoint of one's own, which has no quota.
type unpaced struct{}

func (unpaced) Wait(ctx context.Context, _ pacing.Push) error      { return ctx.Err() }
func (unpaced) Blocked() bool                                         { return false }
func (unpaced) LongestGate() time.Duration                         { return 0 }
func (unpaced) CloseGate(context.Context, time.Duration, string) error { return nil }

// turn waits until one push of the campaign may go out, and there is room for it on the wire. The pace comes first: what
// waits for it is not on the wire. Should the gate close during the second wait, the first begins anew.
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

// push is what the pace of one of the campaign's pushes depends on.
func (s *activeCampaign) pacingPush() pacing.Push {
	t := s.settings.Load()
	return pacing.Push{Campaign: s.id, Weight: t.weight, Priority: t.priority, Cap: t.rate, CapKey: s.paceKey}
}

// experience is what an answer says of FCM's health. A 429 of one device or topic is about them; one that never comes says
// nothing, for one in some thousands does not.
func healthOf(a fcm.Answer, took time.Duration) inflight.Outcome {
	o := inflight.Outcome{Latency: took, Signal: inflight.Good}
	switch {
	case a.HTTPStatus == 0 || a.Class == fcm.Ambiguous || a.Class == fcm.NotFCM:
		o.Signal = inflight.Ignore
	case a.Class == fcm.Unavailable, a.Class == fcm.Quota && a.Scope == fcm.QuotaProject:
		o.Signal = inflight.Overload
	}
	return o
}

// heed closes the gate where an answer demands it.
func (d *Dispatcher) closeGateIfAsked(work context.Context, a fcm.Answer) {
	if a.Class != fcm.Quota || a.Scope != fcm.QuotaProject {
		return
	}
	if err := d.deps.Pacer.CloseGate(work, a.RetryAfter, "429: "+a.Detail); err != nil {
		d.log.Warn("close gate: this process obeys it already", "error", err)
	}
}
