package operator

import (
	"context"

	"fanfare/internal/notification"
	"fanfare/internal/pacing"
)

// ProjectPace is the pace of a Firebase project, to read and to stop; *pacing.Governor implements
// it.
type ProjectPace interface {
	PaceReader
	Halt(ctx context.Context, reason string) error
	Resume(ctx context.Context) error
	// ResumeFrom ends the halt of one reason. free reports whether no other stands.
	ResumeFrom(ctx context.Context, reason string) (free bool, err error)
	Set(ctx context.Context, s pacing.Settings) error
	// Note adds to the history what changes nothing of the pace.
	Note(ctx context.Context, what, detail string) error
	// History returns who halted and resumed the project and who set its quota, the newest last.
	History(ctx context.Context) ([]notification.HistoryEntry, error)
}

// Project is a Firebase project that a program shows. Pace is nil if it has no quota, because
// pacing is disabled.
type Project struct {
	ID   string
	Pace ProjectPace
}

// Projects are the Firebase projects that a program shows, in the order of the settings.
type Projects []Project

// Find returns the project of an id.
func (p Projects) Find(id string) (Project, bool) {
	for _, each := range p {
		if each.ID == id {
			return each, true
		}
	}
	return Project{}, false
}

// Single returns the only project; ok is false if there is none, or several.
func (p Projects) Single() (only Project, ok bool) {
	if len(p) != 1 {
		return Project{}, false
	}
	return p[0], true
}

// Pace is a FindPace over the projects.
func (p Projects) Pace(named string) PaceReader {
	found, known := p.Find(named)
	if named == "" {
		found, known = p.Single()
	}
	if !known || found.Pace == nil {
		return nil
	}
	return found.Pace
}

// IDs returns the ids of the projects.
func (p Projects) IDs() []string {
	ids := make([]string, len(p))
	for i, each := range p {
		ids[i] = each.ID
	}
	return ids
}

// SharesQuota reports whether campaigns of two Firebase projects may share a quota. A campaign that
// names no project belongs to the only one.
func SharesQuota(a, b string) bool { return a == "" || b == "" || a == b }
