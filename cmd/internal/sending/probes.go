package sending

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/access"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
)

// Probes check what needs the settings: access to keys, SQL and FCM.
func (r *Rooms) Probes() []checks.Probe {
	probes := r.projectProbes()
	if caution := r.CheckPlaintextRedis(); caution != nil {
		probes = append(probes, checks.Probe{Name: "redis encryption", Run: func(context.Context) (string, error) { return "", caution }})
	}
	if r.Store == nil {
		return append(probes, checks.Probe{Name: "sql", Run: func(context.Context) (string, error) {
			return "no database is configured: tokens come from Redis only, and the responder cannot run", nil
		}})
	}
	return append(probes, checks.Probe{Name: "sql", Run: func(ctx context.Context) (string, error) {
		if err := r.Store.Check(ctx); err != nil {
			return "", err
		}
		return r.Settings.Store.DatabaseURL.String(), r.CheckPlaintextDatabase()
	}})
}

// projectProbes check what a Firebase project needs. Of several in the settings, each probe is
// named after its project.
func (r *Rooms) projectProbes() []checks.Probe {
	if len(r.Settings.Projects) == 0 {
		return []checks.Probe{
			{Name: "redis keys", Run: r.probeAccess},
			{Name: "redis channel", Run: r.probeChannel},
			{Name: "fcm credentials", Run: r.probeCredentials},
			{Name: "fcm endpoint", Run: r.probeEndpoint},
		}
	}
	var all []checks.Probe
	for _, id := range r.Settings.ProjectIDs() {
		own, err := r.ForProject(id)
		if err != nil {
			all = append(all, checks.Probe{Name: "project " + id, Run: func(context.Context) (string, error) { return "", err }})
			continue
		}
		for _, probe := range own.projectProbes() {
			probe.Name += " of " + id
			all = append(all, probe)
		}
	}
	return all
}

func (r *Rooms) probeCredentials(ctx context.Context) (string, error) {
	if s := r.Settings.FCM; s.Endpoint != "" && s.CredentialsFile == "" && s.Credentials == "" {
		_, err := r.FindProject(ctx)
		return "none: requests to " + s.Endpoint.String() + " are sent without credentials", err
	}
	sender, err := r.NewSender(ctx)
	if err != nil {
		return "", err
	}
	defer sender.Close()
	if err := sender.Authorize(ctx); err != nil {
		return "", err
	}
	return "an access token was issued", nil
}

// probeEndpoint connects as the dispatcher does, and sends nothing. It needs no credentials, so it
// finds a wrong address even if those are bad.
func (r *Rooms) probeEndpoint(ctx context.Context) (string, error) {
	o := fcmOptions(r.Settings)
	o.Logger = r.Logger
	err := fcm.ProbeEndpoint(ctx, o)
	if fcm.IsUntrusted(err) {
		err = fmt.Errorf("%w; %s", err, trustAdvice)
	}
	return "connection succeeded", err
}

// ReadyChecks are what a dispatcher needs besides Redis. The check of FCM returns the last known
// state and sends nothing.
func (r *Rooms) ReadyChecks(sender *fcm.Sender) map[string]daemon.Check {
	checks := map[string]daemon.Check{
		"fcm": func(context.Context) error { return sender.Health() },
	}
	s := r.Settings.Store
	if asked := !s.TokenQuery.IsOff() || s.ProfileQuery.SQL() != "" || s.SuppressionQuery.SQL() != ""; r.Store != nil && asked {
		checks["database"] = r.Store.Ping
	}
	return checks
}

// senderAccess returns the access that a dispatcher needs. project is "" if unknown.
func (r *Rooms) senderAccess(project string) []access.Keys {
	kept := r.Store != nil && r.Settings.Store.ProfileQuery.SQL() != ""
	all := slices.Concat(access.Campaigns(r.Names), access.Results(r.Names), access.Tokens(r.Names), access.Profiles(r.Names, kept),
		access.Suppressed(r.Names))
	all = append(all, access.Server(true))
	if project != "" && (r.Settings.Pacing.Enabled || r.Settings.Breaker.Enabled) {
		all = append(all, access.Project(r.Names.Project(project))...)
	}
	return all
}

// CheckSenderAccess refuses to start if a campaign could not be ended. A missing write permission
// would only show once messages are out.
func (r *Rooms) CheckSenderAccess(ctx context.Context, project string) error {
	if err := access.Check(ctx, r.Redis, r.senderAccess(project)...); assembly.AsAccessError(err) != nil {
		return assembly.AsAccessError(err)
	}
	if denied, is := errors.AsType[*access.Error](r.checkChannel(ctx, project)); is {
		r.Logger.Warn("Redis denies the quota channel; gates and halts of other dispatchers arrive up to 1 s late", "error", denied)
	}
	return nil
}

// checkChannel checks access to the channel of the project's pacing, if enabled.
func (r *Rooms) checkChannel(ctx context.Context, project string) error {
	if project == "" || !r.Settings.Pacing.Enabled {
		return nil
	}
	return access.CheckChannel(ctx, r.Redis, r.Names.Project(project))
}

// probeAccess checks the access that a dispatcher and a responder need.
func (r *Rooms) probeAccess(ctx context.Context) (string, error) {
	project, err := r.FindProject(ctx)
	if err != nil {
		project = "" // the probe of the credentials says why
	}
	needed := append(r.senderAccess(project), access.Transactions())
	return "all that are needed can be read and written", access.Check(ctx, r.Redis, needed...)
}

// probeChannel checks access to the quota channel, which is not necessary to send.
func (r *Rooms) probeChannel(ctx context.Context) (string, error) {
	project, err := r.FindProject(ctx)
	if err != nil {
		project = ""
	}
	return "subscription succeeded", asChannelCaution(r.checkChannel(ctx, project))
}

// asChannelCaution turns a denial into a caution.
func asChannelCaution(err error) error {
	if denied, is := errors.AsType[*access.Error](err); is {
		return &checks.Caution{
			Problem: denied.Error(), Advice: "without it, gates and halts of other dispatchers arrive up to 1 s late",
		}
	}
	return err
}
