package dispatcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/redisx"
)

// ErrLeftover says that a Job was stopped before its campaign was drained.
var ErrLeftover = errors.New("stopped with work left: start the job again to continue")

// errDrained ends a Job's roles. Run returns nil for it.
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

// job replaces discovery for a process that serves one campaign, and ends all roles when that
// campaign ends.
type job struct {
	campaign  string
	campaigns *campaign.Campaigns
	serve     func(ctx context.Context, spec campaign.Spec) error // the discoverer's
	logLate   func(id string, err error) bool                     // the discoverer's
	roster    *roster
	interval  time.Duration
	log       *slog.Logger
}

func (j *job) run(ctx context.Context) error {
	tick := time.NewTicker(j.interval)
	defer tick.Stop()
	for {
		if err := j.tick(ctx); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tick returns nil while there is, or may be, work to do. It adopts the campaign, because late
// recipients make a completed campaign run again.
func (j *job) tick(ctx context.Context) error {
	spec, err := j.campaigns.Adopt(ctx, j.campaign)
	if isPermanent(err) {
		return err
	}
	if err != nil {
		if ctx.Err() == nil && !j.logLate(j.campaign, err) {
			j.log.Warn("campaign not read; retrying", "campaign", j.campaign, "error", err)
		}
		return nil
	}
	switch spec.State {
	case campaign.Running:
		if err := j.serve(ctx, spec); err != nil {
			return err
		}
		return j.checkNeverLoaded(ctx)
	case campaign.Completed:
		return j.checkCompleted(ctx, spec)
	case campaign.Draft:
		if spec.IsScheduled() {
			return nil // a later tick starts it
		}
		return &EndedError{State: spec.State, Reason: spec.Reason}
	default:
		return &EndedError{State: spec.State, Reason: spec.Reason}
	}
}

// checkCompleted ends the Job of a completed campaign: with an error if recipients are missing or a
// load was interrupted.
func (j *job) checkCompleted(ctx context.Context, spec campaign.Spec) error {
	books, err := j.campaigns.Books(ctx, spec.ID)
	switch {
	case isPermanent(err):
		return err
	case err == nil && (!books.IsBalanced() || books.Interrupted > 0):
		return &EndedError{State: spec.State, Reason: cmp.Or(spec.Reason, lossesOf(spec, books))}
	case err == nil:
		return errDrained
	}
	return nil // the next tick decides
}

// lossesOf names the losses of a completed campaign that were unknown when it ended.
func lossesOf(spec campaign.Spec, books campaign.Books) string {
	var all []string
	for _, loss := range books.Losses(spec) {
		all = append(all, loss.What+"; "+loss.Advice)
	}
	return strings.Join(all, "; ")
}

// isPermanent reports whether no retry can help.
func isPermanent(err error) bool {
	_, spec := errors.AsType[*campaign.SpecError](err)
	_, id := errors.AsType[*keys.IDError](err)
	_, mistyped := errors.AsType[*redisx.TypeError](err)
	_, elsewhere := errors.AsType[*campaign.ProjectError](err)
	return spec || id || mistyped || elsewhere || redisx.IsDenied(err) || errors.Is(err, campaign.ErrNotFound)
}

// checkNeverLoaded ends the Job of a campaign that never had recipients. Such a campaign is not
// completed, because its audience may still come, but a Job must not wait for it.
func (j *job) checkNeverLoaded(ctx context.Context) error {
	camp := j.roster.get(j.campaign)
	if camp == nil || !camp.empty.Load() || camp.inflight.Load() > 0 {
		return nil
	}
	if books, err := j.campaigns.Books(ctx, camp.id); err == nil && books.Loaded == 0 {
		j.log.Warn("campaign has no recipients; load its audience, or check whether the list has expired", "campaign", camp.id)
		return errDrained
	}
	return nil // there are recipients, or the next tick decides
}
