package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"fanfare/internal/campaign"
	"fanfare/internal/terminal"
)

// StartOptions say how a campaign is started.
type StartOptions struct {
	Reason string // shown to people until the next change of state
	// Partial starts it although recipients are missing or a load has not come to its end, and gives these up.
	Partial bool
}

// IncompleteError refuses to start a campaign whose audience is not all there. State is what it is in still.
type IncompleteError struct {
	ID     string
	State  campaign.State
	Losses []campaign.Loss
}

func (e *IncompleteError) Error() string {
	text := fmt.Sprintf("campaign %s is not started: ", terminal.Printable(e.ID))
	for i, loss := range e.Losses {
		if i > 0 {
			text += "; "
		}
		text += loss.What
		if loss.Advice != "" {
			text += "; " + loss.Advice
		}
	}
	return text
}

// Start begins a campaign, or resumes it: with a canary, and with all platforms, for whatever tripped its breaker is taken to be
// fixed. A *PassedError refuses a draft whose deadline has passed, a *MessageError a campaign whose message cannot be sent, an
// *IncompleteError one whose audience is not all there.
func (o *Operator) Start(ctx context.Context, id string, opts StartOptions) error {
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return err
	}
	if err := o.startable(ctx, id, opts.Partial); err != nil {
		return err
	}
	// The breaker first: a campaign that runs is not to be judged by what is over.
	if err := o.deps.Breakers.Reset(ctx, list); err != nil {
		return err
	}
	return o.deps.Campaigns.Move(ctx, id, campaign.Running, opts.Reason)
}

// startable looks at the message, the audience and the deadline. What does not exist, or has a bad spec, is refused by the move.
func (o *Operator) startable(ctx context.Context, id string, partial bool) error {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	_, broken := errors.AsType[*campaign.SpecError](err)
	switch {
	case broken || errors.Is(err, campaign.ErrNotFound) || err == nil && spec.State.Final():
		return nil
	case err != nil:
		return err
	}
	if err := Sendable(spec); err != nil {
		return err
	}
	books, err := o.guardedBooks(ctx, spec, id)
	if err != nil {
		return err
	}
	incomplete := books.Missing > books.Waived || books.Interrupted > 0
	if incomplete && partial {
		if err := o.deps.Campaigns.Waive(ctx, id, books.Missing); err != nil {
			return err
		}
	} else if incomplete && spec.State != campaign.Running {
		return &IncompleteError{ID: id, State: spec.State, Losses: books.Losses(id, spec.State)}
	}
	return o.inTime(ctx, spec, books)
}

// PausePlatform keeps a running campaign's recipients of one platform back, until Start.
func (o *Operator) PausePlatform(ctx context.Context, id, platform, reason string) error {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	if err != nil {
		return err
	}
	if spec.State != campaign.Running {
		return fmt.Errorf("campaign %s is %s: pause a platform while it runs, for start and resume let all platforms take part", terminal.Printable(id), spec.State)
	}
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return err
	}
	return o.deps.Breakers.PausePlatform(ctx, list, platform, cmp.Or(reason, "paused by hand"))
}
