package sending

import (
	"context"
	"fmt"

	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
)

// Probes check what only this side of the house has: which keys the settings lead to, SQL and FCM.
func (r *Rooms) Probes() []checks.Probe {
	probes := []checks.Probe{
		{Name: "redis keys", Run: r.probeAccess},
		{Name: "redis channel", Run: r.probeChannel},
		{Name: "fcm credentials", Run: r.probeCredentials},
		{Name: "fcm endpoint", Run: r.probeEndpoint},
	}
	if r.Store == nil {
		return append(probes, checks.Probe{Name: "sql", Run: func(context.Context) (string, error) {
			return "no database is set: tokens come from Redis only, and the responder cannot run", nil
		}})
	}
	return append(probes, checks.Probe{Name: "sql", Run: func(ctx context.Context) (string, error) {
		if err := r.Store.Check(ctx); err != nil {
			return "", err
		}
		return r.Settings.Store.DatabaseURL.String(), r.CheckPlaintextDatabase()
	}})
}

func (r *Rooms) probeCredentials(ctx context.Context) (string, error) {
	if s := r.Settings.FCM; s.Endpoint != "" && s.CredentialsFile == "" && s.Credentials == "" {
		_, err := r.FindProject(ctx)
		return "none: requests to " + s.Endpoint.String() + " carry no credentials", err
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

// probeEndpoint connects as the dispatcher does, and sends nothing. It needs no credentials, so that it tells of a wrong address whether
// or not those are good.
func (r *Rooms) probeEndpoint(ctx context.Context) (string, error) {
	o := fcmOptions(r.Settings)
	o.Logger = r.Logger
	err := fcm.ProbeEndpoint(ctx, o)
	if fcm.IsUntrusted(err) {
		err = fmt.Errorf("%w; %s", err, trustAdvice)
	}
	return "can be connected to", err
}

// ReadyChecks are what a dispatcher needs besides Redis to send anything. That of FCM tells what was last found out, and asks nobody.
func (r *Rooms) ReadyChecks(sender *fcm.Sender) map[string]daemon.Check {
	checks := map[string]daemon.Check{
		"fcm": func(context.Context) error { return sender.Health() },
	}
	s := r.Settings.Store
	if asked := !s.TokenQuery.IsOff() || s.ProfileQuery.SQL() != ""; r.Store != nil && asked {
		checks["database"] = r.Store.Ping
	}
	return checks
}
