package operator

import (
	"context"
	"errors"
	"fmt"

	"fanfare/internal/campaign"
)

// CheckSchedule returns an *UnfitError for a change that schedules a draft whose waves would not
// fit into their windows. The same holds for one by which the waves of a scheduled draft no longer
// fit. It refuses nothing without a start, an audience or a known pace. Nor does it hinder a repair
// in steps: what does not fit already may change.
func (o *Operator) CheckSchedule(ctx context.Context, id string, change campaign.Change, paces FindPace) error {
	if !changesWaves(change) {
		return nil
	}
	before, isSound, err := o.readSound(ctx, id)
	if err != nil || !isSound || before.State != campaign.Draft {
		return err
	}
	after := before
	change.ApplyTo(&after)
	err = o.checkScheduled(ctx, after, paces)
	unfit, is := errors.AsType[*UnfitError](err)
	if !is || change.StartAt != nil {
		return err
	}
	if _, is := errors.AsType[*UnfitError](o.checkScheduled(ctx, before, paces)); is {
		return nil
	}
	unfit.Changed = true
	return unfit
}

// changesWaves reports whether a change moves the waves of a campaign, or changes how fast they are
// sent.
func changesWaves(c campaign.Change) bool {
	return c.StartAt != nil || c.Deadline != nil || changesRules(c) || c.Priority != nil || c.Weight != nil || c.Rate != nil || c.Project != nil
}

// checkScheduled returns an *UnfitError for a scheduled draft whose waves do not fit.
func (o *Operator) checkScheduled(ctx context.Context, spec campaign.Spec, paces FindPace) error {
	pace := paces.of(spec.Project)
	if pace == nil || !spec.IsScheduled() || spec.Rules().IsZero() {
		return nil
	}
	books, err := o.deps.Campaigns.Books(ctx, spec.ID)
	if err != nil {
		return err
	}
	return o.refuseUnfit(ctx, View{Spec: spec, Books: books}, pace)
}

// warnUnfit says that the waves of a scheduled draft do not fit, as the start would. It returns ""
// if they do, and for other campaigns. The load is done, so a failed check is only named.
func (o *Operator) warnUnfit(ctx context.Context, id string, paces FindPace) string {
	spec, _, err := o.readSound(ctx, id)
	switch {
	case err != nil:
	case !spec.IsScheduled() || spec.Rules().IsZero():
		return ""
	default:
		err = o.CheckSchedule(ctx, id, campaign.Change{StartAt: &spec.StartAt}, paces)
	}
	if unfit, is := errors.AsType[*UnfitError](err); is {
		return unfit.Plan.Describe() + "; " + unfit.Plan.Advice()
	} else if err != nil {
		return "whether its waves fit is unknown: " + err.Error()
	}
	return ""
}

// refuseUnfit returns an *UnfitError for a campaign whose plan does not fit.
func (o *Operator) refuseUnfit(ctx context.Context, v View, pace PaceReader) error {
	state, err := pace.State(ctx)
	if err != nil {
		return fmt.Errorf("ask for the pace: %w", err)
	}
	plan, err := o.PlanWaves(ctx, v, state)
	if err != nil || plan == nil || plan.Fits() {
		return err
	}
	return &UnfitError{ID: v.Spec.ID, Plan: plan, Scheduled: v.Spec.IsScheduled()}
}

// RefuseStart says why a scheduled draft must not start by itself: its waves do not fit into their
// windows. It returns "" if it may.
func (o *Operator) RefuseStart(ctx context.Context, id string, pace PaceReader) (refusal string, err error) {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	if err != nil {
		return "", err
	}
	books, err := o.deps.Campaigns.Books(ctx, id)
	if err != nil {
		return "", err
	}
	err = o.checkWaves(ctx, spec, books, pace)
	if unfit, is := errors.AsType[*UnfitError](err); is {
		return unfit.Plan.Describe() + "; " + unfit.Plan.Advice(), nil
	}
	return "", err
}

// explainDue sets why the scheduled start of a draft whose time has come is refused.
func (o *Operator) explainDue(ctx context.Context, v *View, paces FindPace) {
	if !v.Spec.IsScheduled() || o.now().Before(v.Spec.StartAt) || v.Books.IsIncomplete(v.Spec) {
		return
	}
	pace := paces.of(v.Spec.Project)
	if pace == nil {
		return
	}
	if unfit, is := errors.AsType[*UnfitError](o.checkWaves(ctx, v.Spec, v.Books, pace)); is {
		v.Unfit = unfit.Plan
	}
}
