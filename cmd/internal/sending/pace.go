package sending

import (
	"context"
	"log/slog"

	"fanfare/cmd/internal/assembly"
	"fanfare/internal/pacing"
)

// Project is the Firebase project that is sent for: the setting's, or the one that the credentials name.
func (r *Rooms) FindProject(ctx context.Context) (string, error) {
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

// Pace is the full pace in pushes a second that the settings ask for.
func (r *Rooms) FullRate() float64 { return pacingOptions(r.Settings.Pacing).Rate() }

// Governor makes the governor of a project's quota. by is who it says has halted the project. Without Run it tells and sets
// only, as an operator needs it. Without a logger it is silent.
func (r *Rooms) NewGovernor(project, by string, log *slog.Logger) (*pacing.Governor, error) {
	o := pacingOptions(r.Settings.Pacing)
	o.By, o.Logger, o.Registerer = by, log, r.Registerer
	governor, err := pacing.New(r.Redis, r.Names.Project(project), o)
	return governor, assembly.AsSettingsError(err)
}
