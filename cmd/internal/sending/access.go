package sending

import (
	"context"
	"errors"
	"slices"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/access"
	"fanfare/internal/checks"
)

// senderAccess are the keys that a dispatcher needs; project may be "" where it cannot be told.
func (r *Rooms) senderAccess(project string) []access.Keys {
	kept := r.Store != nil && r.Settings.Store.ProfileQuery.SQL() != ""
	all := slices.Concat(access.Campaigns(r.Names), access.Results(r.Names), access.Tokens(r.Names), access.Profiles(r.Names, kept))
	all = append(all, access.Server(true))
	if project != "" && (r.Settings.Pacing.Enabled || r.Settings.Breaker.Enabled) {
		all = append(all, access.Project(r.Names.Project(project))...)
	}
	return all
}

// CheckSenderAccess refuses to begin with a campaign that could not be ended: what a user may not write shows itself only when
// messages are out.
func (r *Rooms) CheckSenderAccess(ctx context.Context, project string) error {
	if err := access.Check(ctx, r.Redis, r.senderAccess(project)...); assembly.AsAccessError(err) != nil {
		return assembly.AsAccessError(err)
	}
	if denied, is := errors.AsType[*access.Error](r.checkChannel(ctx, project)); is {
		r.Logger.Warn("Redis denies the channel of the quota; a gate or a halt of another dispatcher is heard up to a second later", "error", denied)
	}
	return nil
}

// checkChannel asks for the channel of a project's pace, where one is kept.
func (r *Rooms) checkChannel(ctx context.Context, project string) error {
	if project == "" || !r.Settings.Pacing.Enabled {
		return nil
	}
	return access.CheckChannel(ctx, r.Redis, r.Names.Project(project))
}

// probeAccess asks for what a dispatcher and a responder need.
func (r *Rooms) probeAccess(ctx context.Context) (string, error) {
	project, err := r.FindProject(ctx)
	if err != nil {
		project = "" // the probe of the credentials tells why
	}
	return "all that are needed may be read and written", access.Check(ctx, r.Redis, r.senderAccess(project)...)
}

// probeChannel asks for the channel of the quota, which is not needed to send.
func (r *Rooms) probeChannel(ctx context.Context) (string, error) {
	project, err := r.FindProject(ctx)
	if err != nil {
		project = ""
	}
	return "may be heard", asChannelCaution(r.checkChannel(ctx, project))
}

// heardLate is a caution where only the channel is denied.
func asChannelCaution(err error) error {
	if denied, is := errors.AsType[*access.Error](err); is {
		return &checks.Caution{
			Problem: denied.Error(), Advice: "without it a gate or a halt of another dispatcher is heard up to a second later",
		}
	}
	return err
}
