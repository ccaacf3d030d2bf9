package wire

import (
	"context"

	"fanfare/internal/operator"
)

// Probes check what only this side of the house has: SQL and the credentials.
func (r *Rooms) Probes() []operator.Probe {
	probes := []operator.Probe{{Name: "fcm credentials", Run: r.probeCredentials}}
	if r.Store == nil {
		return append(probes, operator.Probe{Name: "sql", Run: func(context.Context) (string, error) {
			return "no database is set: tokens come from Redis only, and the responder cannot run", nil
		}})
	}
	return append(probes, operator.Probe{Name: "sql", Run: func(ctx context.Context) (string, error) {
		return r.Settings.Store.DatabaseURL.String(), r.Store.Check(ctx)
	}})
}

func (r *Rooms) probeCredentials(ctx context.Context) (string, error) {
	if s := r.Settings.FCM; s.Endpoint != "" && s.CredentialsFile == "" {
		return "none: requests to " + s.Endpoint.String() + " carry no credentials", nil
	}
	sender, err := r.Sender(ctx)
	if err != nil {
		return "", err
	}
	defer sender.Close()
	if err := sender.Check(ctx); err != nil {
		return "", err
	}
	return "an access token was issued", nil
}
