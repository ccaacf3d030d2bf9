package breaker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// Scope is how much a trip stops.
type Scope string

// From the most to the least.
const (
	// Project: no one in the Firebase project can be sent to until its credentials are fixed.
	Project Scope = "project"
	// Campaign: its message or its audience is wrong.
	Campaign Scope = "campaign"
	// Platform: the breaker holds back the recipients of this platform by itself.
	Platform Scope = "platform"
)

// Trip says what must stop and why.
type Trip struct {
	Scope    Scope     `json:"scope"`
	Platform string    `json:"platform,omitempty"`
	Kind     Kind      `json:"kind"`
	Count    int64     `json:"count"` // of that kind
	Of       int64     `json:"of"`    // answers that prove something
	At       time.Time `json:"at"`    // the server's clock
	// Reason is for the operator: the figures, what they mean, and the next step.
	Reason string `json:"reason"`

	holder string // identifies the replica that acted, for Confirm
}

// Decision is what a campaign's breaker replies.
type Decision struct {
	// Trip is set for one caller, which must act on it and then Confirm it. After ten seconds
	// without a Confirm the trip goes to another caller.
	Trip *Trip
	// Tripped means that a trip or a reset ended the round. Claims that were not sent go back, and
	// later pushes must be admitted again.
	Tripped bool
	// Hold is why no one is admitted for now. nil: recipients are admitted.
	Hold *Hold
	// Paused are the platforms that are kept back, with the reasons. It is not to be changed.
	Paused map[string]string
}

// resolve acts on what the breaker holds. It takes over a trip whose holder did not act, trips on
// what looks wrong, and passes a full canary that looks sane. Each step is a script that does
// nothing if another replica was quicker. outage is what this replica reports now. It returns the
// breaker afterwards and the trip that this caller must act on.
func (b *Breakers) resolve(ctx context.Context, campaign keys.List, p *snapshot, outage Outage) (*snapshot, *Trip, error) {
	switch {
	case p.round == 0:
		return p, nil, nil
	case p.isStanding():
		return b.take(ctx, campaign, p)
	case p.hold != nil:
		return p, nil, nil
	}
	if trip := b.o.evaluate(p, outage); trip != nil {
		return b.trip(ctx, campaign, p, trip)
	}
	if !p.passed && p.proofs+p.spent >= int64(b.o.Canary) {
		p, _, err := b.run(ctx, passScript, campaign, p.round, b.o.Canary)
		return p, nil, err
	}
	return p, nil, nil
}

// decide returns the decision for a caller whose answers belong to a round, or to none for 0.
func decide(p *snapshot, round int64, trip *Trip) Decision {
	return Decision{Trip: trip, Tripped: p.isStanding() || round != 0 && round != p.round, Paused: p.paused, Hold: p.hold}
}

// outcomeWon is the scripts' outcome for the one caller that acts.
const outcomeWon = "won"

// trip stops what a trip names, unless another replica did.
func (b *Breakers) trip(ctx context.Context, campaign keys.List, p *snapshot, t *Trip) (*snapshot, *Trip, error) {
	written, err := json.Marshal(t)
	if err != nil {
		return nil, nil, fmt.Errorf("write trip: %w", err)
	}
	id := queue.NewID()
	var outcome string
	switch {
	case t.Scope == Platform:
		p, outcome, err = b.run(ctx, pauseScript, campaign,
			t.Platform, t.Reason, id, string(ThirdPartyAuth), breakerTTL.Milliseconds(), p.round, written)
	case t.Kind.isUnanswered():
		p, outcome, err = b.hold(ctx, campaign, p, t, id, written)
	default:
		p, outcome, err = b.run(ctx, tripScript, campaign,
			p.round, id, written, actTimeout.Milliseconds(), canaryDelay.Milliseconds(), breakerTTL.Milliseconds())
	}
	if err != nil || outcome != outcomeWon {
		return p, nil, err
	}
	t.holder = id
	return p, t, nil
}

// take takes over a trip whose holder did not act in time.
func (b *Breakers) take(ctx context.Context, campaign keys.List, p *snapshot) (*snapshot, *Trip, error) {
	if p.last == nil || p.now.UnixMilli() < p.actBy {
		return p, nil, nil
	}
	id := queue.NewID()
	p, outcome, err := b.run(ctx, takeScript, campaign, p.holder, id, actTimeout.Milliseconds())
	if err != nil || outcome != outcomeWon || p.last == nil {
		return p, nil, err
	}
	t := *p.last
	t.holder = id
	return p, &t, nil
}

var errUnknownTrip = errors.New("the trip does not come from a Decision")

// Confirm records that the caller acted on a trip: it paused the campaign or halted the project.
// Only then may a new canary start on resume. Another replica may have taken the trip over and then
// confirms it. Repeating it is harmless.
func (b *Breakers) Confirm(ctx context.Context, campaign keys.List, t *Trip) error {
	switch {
	case t.holder == "":
		return wrap("confirm trip of", campaign, errUnknownTrip)
	case t.Scope == Platform, t.Scope == Campaign && t.Kind.isUnanswered(): // the breaker has acted by itself
		return nil
	}
	_, _, err := b.run(ctx, confirmScript, campaign, t.holder)
	return wrap("confirm trip of", campaign, err)
}
