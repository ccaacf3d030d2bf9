package sending

import (
	"fmt"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
)

// Served returns rooms for each Firebase project that a dispatcher serves. They share Redis, SQL and
// the caches. With a section projects in the settings, each project's metrics have the label
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
	return all, nil
}

// ForProject returns rooms with the settings of one Firebase project. An empty id is the only one
// there is; with several, it is a usage error.
func (r *Rooms) ForProject(id string) (*Rooms, error) {
	if len(r.Settings.Projects) == 0 {
		return r, nil
	}
	ids := r.Settings.ProjectIDs()
	if id == "" && len(ids) == 1 {
		id = ids[0]
	}
	if id == "" {
		return nil, daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("the settings have several Firebase projects; name one of them: %s", strings.Join(ids, ", ")))
	}
	s, known := r.Settings.ForProject(id)
	if !known {
		return nil, daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("the settings have no Firebase project %q; they have: %s", id, strings.Join(ids, ", ")))
	}
	return r.withSettings(s)
}

func (r *Rooms) withSettings(s config.Settings) (*Rooms, error) {
	shared, err := r.WithSettings(s)
	if err != nil {
		return nil, err
	}
	shared.Logger = r.Logger.With("project", s.FCM.ProjectID)
	if r.Registerer != nil {
		shared.Registerer = prometheus.WrapRegistererWith(prometheus.Labels{"project": s.FCM.ProjectID}, r.Registerer)
	}
	return &Rooms{shared}, nil
}
