package wire

import (
	"context"
	"errors"
	"slices"

	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/queue"
)

// senderAccess are the keys that a dispatcher needs; project may be "" where it cannot be told.
func (r *Rooms) senderAccess(project string) []queue.Access {
	kept := r.Store != nil && r.Settings.Store.ProfileQuery.SQL() != ""
	all := slices.Concat(r.Names.CampaignAccess(), r.Names.ResultAccess(), r.Names.TokenAccess(), r.Names.ProfileAccess(kept))
	all = append(all, queue.ServerAccess(true))
	if project != "" && (r.Settings.Pacing.Enabled || r.Settings.Breaker.Enabled) {
		all = append(all, r.Names.Project(project).Access()...)
	}
	return all
}

// CheckSenderAccess refuses to begin with a campaign that could not be ended: what a user may not write shows itself only when
// messages are out.
func (r *Rooms) CheckSenderAccess(ctx context.Context, project string) error {
	if err := queue.CheckAccess(ctx, r.Redis, r.senderAccess(project)...); refusedAccess(err) != nil {
		return refusedAccess(err)
	}
	if denied, is := errors.AsType[*queue.AccessError](r.checkChannel(ctx, project)); is {
		r.Logger.Warn("Redis denies the channel of the quota; a gate or a halt of another dispatcher is heard up to a second later", "error", denied)
	}
	return nil
}

// checkChannel asks for the channel of a project's pace, where one is kept.
func (r *Rooms) checkChannel(ctx context.Context, project string) error {
	if project == "" || !r.Settings.Pacing.Enabled {
		return nil
	}
	return r.Names.Project(project).CheckChannel(ctx, r.Redis)
}

// CheckResultAccess is CheckSenderAccess for a responder.
func (r *Rooms) CheckResultAccess(ctx context.Context) error {
	return refusedAccess(queue.CheckAccess(ctx, r.Redis, r.resultAccess()...))
}

// resultAccess is what a responder needs.
func (r *Rooms) resultAccess() []queue.Access {
	return append(r.Names.ResultAccess(), queue.ServerAccess(false))
}

// refusedAccess keeps a program from starting only where it is denied something. An outage passes.
func refusedAccess(err error) error {
	if _, denied := errors.AsType[*queue.AccessError](err); denied {
		return daemon.Exit(daemon.ExitCredentials, err)
	}
	return nil
}

// probeAccess asks for what a dispatcher and a responder need.
func (r *Rooms) probeAccess(ctx context.Context) (string, error) {
	project, err := r.Project(ctx)
	if err != nil {
		project = "" // the probe of the credentials tells why
	}
	return "all that are needed may be read and written", queue.CheckAccess(ctx, r.Redis, r.senderAccess(project)...)
}

// probeChannel asks for the channel of the quota, which is not needed to send.
func (r *Rooms) probeChannel(ctx context.Context) (string, error) {
	project, err := r.Project(ctx)
	if err != nil {
		project = ""
	}
	return "may be heard", heardLate(r.checkChannel(ctx, project))
}

// heardLate is a caution where only the channel is denied.
func heardLate(err error) error {
	if denied, is := errors.AsType[*queue.AccessError](err); is {
		return &operator.Caution{
			Problem: denied.Error(), Advice: "without it a gate or a halt of another dispatcher is heard up to a second later",
		}
	}
	return err
}
