package sending

import (
	"context"
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
)

// Served returns rooms for each Firebase project that a dispatcher serves. They share Redis, SQL
// and the caches. With a section projects in the settings, each project's metrics have the label
// project, and its log lines the attribute.
func (r *Rooms) Served() ([]*Rooms, error) {
	if len(r.Settings.Projects) == 0 {
		return []*Rooms{r}, nil
	}
	var all []*Rooms
	for _, s := range r.Settings.Served() {
		rooms, err := r.withSettings(s)
		if err != nil {
			return nil, err
		}
		all = append(all, rooms)
	}
	var ids []string
	for _, own := range all {
		ids = append(ids, own.Settings.FCM.ProjectID)
	}
	for _, own := range all {
		own.served = ids
	}
	return all, nil
}

// ForProject returns rooms with the settings of one Firebase project of the section projects. An
// empty id is the only one there is; with several, it is a usage error.
func (r *Rooms) ForProject(id string) (*Rooms, error) {
	ids := r.Settings.ProjectIDs()
	if id == "" && len(ids) == 1 {
		id = ids[0]
	}
	s, known := r.Settings.ForProject(id)
	switch {
	case id == "" && len(ids) == 0:
		return r, nil
	case id == "":
		return nil, severalError(ids)
	case len(ids) == 0:
		return nil, asUsage(fmt.Errorf("the settings have no section projects, so there is no project %q to choose", id))
	case !known:
		return nil, asUsage(fmt.Errorf("the settings have no Firebase project %q; they have: %s", id, strings.Join(ids, ", ")))
	}
	return r.withSettings(s)
}

// ForCampaign returns rooms with the settings of the Firebase project that a campaign names.
func (r *Rooms) ForCampaign(ctx context.Context, id string) (*Rooms, error) {
	if len(r.Settings.Projects) == 0 {
		return r, nil
	}
	spec, err := r.Campaigns.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	own, err := r.ForProject(spec.Project)
	if err != nil {
		return nil, fmt.Errorf("find the project of campaign %s: %w", id, err)
	}
	return own, nil
}

func severalError(ids []string) error {
	return asUsage(fmt.Errorf("the settings have several Firebase projects; choose one with --project: %s", strings.Join(ids, ", ")))
}

func asUsage(err error) error { return daemon.WithExitCode(daemon.ExitUsage, err) }

func (r *Rooms) withSettings(s config.Settings) (*Rooms, error) {
	shared, err := r.WithSettings(s)
	if err != nil {
		return nil, err
	}
	shared.Logger = r.Logger.With("project", s.FCM.ProjectID)
	if r.Registerer != nil {
		shared.Registerer = prometheus.WrapRegistererWith(prometheus.Labels{"project": s.FCM.ProjectID}, r.Registerer)
	}
	return &Rooms{Rooms: shared, projects: r.Settings.ProjectIDs()}, nil
}
