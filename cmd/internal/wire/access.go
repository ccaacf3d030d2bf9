package wire

import (
	"context"
	"errors"
	"slices"

	"fanfare/internal/daemon"
	"fanfare/internal/queue"
)

// senderAccess are the keys that a dispatcher needs; project may be "" where it cannot be told.
func (r *Rooms) senderAccess(project string) []queue.Access {
	kept := r.Store != nil && r.Settings.Store.ProfileQuery.SQL() != ""
	all := slices.Concat(r.Names.CampaignAccess(), r.Names.ResultAccess(), r.Names.TokenAccess(), r.Names.ProfileAccess(kept))
	if project != "" && (r.Settings.Pacing.Enabled || r.Settings.Breaker.Enabled) {
		all = append(all, r.Names.Project(project).Access()...)
	}
	return all
}

// CheckSenderAccess refuses to begin with a campaign that could not be ended: what a user may not write shows itself only when
// messages are out.
func (r *Rooms) CheckSenderAccess(ctx context.Context, project string) error {
	return refusedAccess(queue.CheckAccess(ctx, r.Redis, r.senderAccess(project)...))
}

// CheckResultAccess is CheckSenderAccess for a responder.
func (r *Rooms) CheckResultAccess(ctx context.Context) error {
	return refusedAccess(queue.CheckAccess(ctx, r.Redis, r.Names.ResultAccess()...))
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
