package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/campaign"
)

// ErrLeftover says that a Job was stopped before its campaign was drained.
var ErrLeftover = errors.New("stopped with work left: start the job again to go on")

// errDrained ends a Job's roles; Run turns it into nil.
var errDrained = errors.New("drained")

// EndedError says that a Job's campaign no longer runs, and why.
type EndedError struct {
	State  campaign.State
	Reason string
}

func (e *EndedError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("campaign is %s", e.State)
	}
	return fmt.Sprintf("campaign is %s: %s", e.State, e.Reason)
}

// job watches the one campaign of a Job and ends everything when that campaign does.
func (d *Dispatcher) job(ctx context.Context) error {
	if d.opts.Campaign == "" {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(d.opts.Poll)
	defer tick.Stop()
	for {
		if err := d.ended(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// ended tells whether the Job's campaign has come to an end; nil means that there is, or may be, work to do.
func (d *Dispatcher) ended(ctx context.Context) error {
	spec, err := d.deps.Campaigns.Get(ctx, d.opts.Campaign)
	switch {
	case errors.Is(err, campaign.ErrNotFound):
		return fmt.Errorf("campaign %s: %w", d.opts.Campaign, err)
	case isSpecError(err):
		return err
	case err != nil:
		if ctx.Err() == nil {
			d.log.Warn("look at the campaign", "campaign", d.opts.Campaign, "error", err)
		}
		return nil
	}
	switch spec.State {
	case campaign.Running:
		return d.neverLoaded(ctx)
	case campaign.Completed:
		return errDrained
	default:
		return &EndedError{State: spec.State, Reason: spec.Reason}
	}
}

// neverLoaded ends a Job whose campaign has had no recipients at all: such a campaign is not completed, for its
// audience may still come, but a Job must not wait for it.
func (d *Dispatcher) neverLoaded(ctx context.Context) error {
	camp := d.roster.get(d.opts.Campaign)
	if camp == nil || !camp.empty.Load() || camp.inflight.Load() > 0 {
		return nil
	}
	books, err := d.deps.Campaigns.Books(ctx, camp.id)
	if err != nil || books.Loaded > 0 {
		return nil // the next look will tell
	}
	d.log.Warn("campaign has no recipients: load its audience, or look whether the list has expired", "campaign", camp.id)
	return errDrained
}

func isSpecError(err error) bool {
	_, ok := errors.AsType[*campaign.SpecError](err)
	return ok
}

// verdict turns how the roles ended into what Run returns.
func (d *Dispatcher) verdict(stopped context.Context, err error) error {
	switch {
	case errors.Is(err, errDrained):
		return nil
	case err != nil:
		return err
	case d.opts.Campaign != "" && stopped.Err() != nil:
		return ErrLeftover
	}
	return nil
}
