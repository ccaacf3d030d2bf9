// Package sending adds what needs FCM to the rooms of package assembly: the sender, the quota and
// the dispatcher.
package sending

import (
	"context"
	"errors"
	"log/slog"

	"fanfare/internal/breaker"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/fcm"
	"fanfare/internal/pacing"
)

// Rooms are the rooms of package assembly, with those that need FCM.
type Rooms struct {
	*assembly.Rooms
	projects []string // all Firebase projects of the settings, if they have several
	served   []string // those of them that this process sends for
}

// Open opens the rooms as assembly.Open does.
func Open(ctx context.Context, s config.Settings, program string, log *slog.Logger, reg prometheus.Registerer) (*Rooms, error) {
	rooms, err := assembly.Open(ctx, s, program, log, reg)
	if err != nil {
		return nil, err
	}
	return &Rooms{Rooms: rooms}, nil
}

// NewSender makes the sender to FCM.
func (r *Rooms) NewSender(ctx context.Context) (*fcm.Sender, error) {
	return r.NewSenderWith(ctx, r.Settings.FCM.Client)
}

// NewSenderWith makes the sender with a client of its own: fcm.ClientOwn or fcm.ClientSDK.
func (r *Rooms) NewSenderWith(ctx context.Context, client string) (*fcm.Sender, error) {
	o := fcmOptions(r.Settings)
	o.Client = client
	o.Logger, o.Registerer = r.Logger, r.Registerer
	sender, err := fcm.New(ctx, o)
	if _, refused := errors.AsType[*fcm.CredentialsError](err); refused {
		return nil, daemon.WithExitCode(daemon.ExitCredentials, err)
	}
	if err != nil {
		return nil, daemon.WithExitCode(daemon.ExitUsage, err)
	}
	return sender, nil
}

// FindProject returns the Firebase project of the settings, or of the credentials. With several in
// the settings, it is a usage error.
func (r *Rooms) FindProject(ctx context.Context) (string, error) {
	if len(r.Settings.Projects) > 0 {
		return "", severalError(r.Settings.ProjectIDs())
	}
	if project := r.Settings.FCM.ProjectID; project != "" {
		return project, nil
	}
	sender, err := r.NewSender(ctx)
	if err != nil {
		return "", err
	}
	defer sender.Close()
	return sender.Project(), nil
}

// FullRate returns the full sending rate of the settings, in pushes per second.
func (r *Rooms) FullRate() float64 { return pacingOptions(r.Settings.Pacing).Rate() }

// NewGovernor makes the governor of a project's quota. by names who halts the project. Without Run,
// the governor only reads and sets, as an operator needs. The logger may be nil.
func (r *Rooms) NewGovernor(project, by string, log *slog.Logger) (*pacing.Governor, error) {
	o := pacingOptions(r.Settings.Pacing)
	o.By, o.Logger, o.Registerer = by, log, r.Registerer
	governor, err := pacing.New(r.Redis, r.Names.Project(project), o)
	return governor, assembly.AsSettingsError(err)
}

// NewDeletions makes the breaker of a project's token deletions.
func (r *Rooms) NewDeletions(project string) (*breaker.Deletions, error) {
	o := deletionsOptions(r.Settings.Breaker)
	o.Logger, o.Registerer = r.Logger, r.Registerer
	d, err := breaker.NewDeletions(r.Redis, r.Names.Project(project), o)
	return d, assembly.AsSettingsError(err)
}
