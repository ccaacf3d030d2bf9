package operator

import (
	"cmp"
	"context"
	"fmt"

	"fanfare/internal/campaign"
)

// Start begins a campaign, or resumes it: with a canary, and with all platforms, for whatever tripped its breaker is taken to be
// fixed. The reason is shown to people until the next change of state. A *PassedError refuses a draft whose deadline has passed,
// a *MessageError a campaign whose message cannot be sent.
func (o *Operator) Start(ctx context.Context, id, reason string) error {
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return err
	}
	if err := o.inTime(ctx, id); err != nil {
		return err
	}
	// What does not exist, or has a bad spec, is refused by the move.
	if spec, err := o.deps.Campaigns.Get(ctx, id); err == nil {
		if err := sendable(spec); err != nil {
			return err
		}
	}
	// The breaker first: a campaign that runs is not to be judged by what is over.
	if err := o.deps.Breakers.Reset(ctx, list); err != nil {
		return err
	}
	return o.deps.Campaigns.Move(ctx, id, campaign.Running, reason)
}

// PausePlatform keeps a running campaign's recipients of one platform back, until Start.
func (o *Operator) PausePlatform(ctx context.Context, id, platform, reason string) error {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	if err != nil {
		return err
	}
	if spec.State != campaign.Running {
		return fmt.Errorf("campaign %s is %s: pause a platform while it runs, for start and resume let all platforms take part", id, spec.State)
	}
	list, err := o.deps.Names.Campaign(id)
	if err != nil {
		return err
	}
	return o.deps.Breakers.PausePlatform(ctx, list, platform, cmp.Or(reason, "paused by hand"))
}
