package console

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// errNoProject says that the settings have no project of an id.
var errNoProject = errors.New("no such project")

// projectState is a Firebase project of a snapshot. Pace is nil if pacing is disabled for it.
type projectState struct {
	ID   string
	Pace *pacing.State
}

// noSuchProject says which projects there are.
func (c *Console) noSuchProject(id string) error {
	return fmt.Errorf("%w %q in the settings; they have: %s", errNoProject, id, strings.Join(c.deps.Projects.IDs(), ", "))
}

// readProjects reads the pace of all projects.
func (c *Console) readProjects(ctx context.Context) ([]projectState, error) {
	all := make([]projectState, len(c.deps.Projects))
	for i, project := range c.deps.Projects {
		all[i].ID = project.ID
		if project.Pace == nil {
			continue
		}
		pace, err := project.Pace.State(ctx)
		if err != nil {
			return nil, fmt.Errorf("read the pace of project %s: %w", project.ID, err)
		}
		all[i].Pace = &pace
	}
	return all, nil
}

// findProject returns the project of an id; "" is the only one. ok is false if there is none.
func (s *Snapshot) findProject(id string) (found projectState, ok bool) {
	if id == "" && len(s.Projects) == 1 {
		return s.Projects[0], true
	}
	for _, each := range s.Projects {
		if each.ID == id {
			return each, true
		}
	}
	return projectState{}, false
}

// surroundingsOf returns what a campaign depends on that names a project, or "".
func (s *Snapshot) surroundingsOf(project string) operator.Surroundings {
	around := s.around
	found, _ := s.findProject(project)
	around.Pace = found.Pace
	return around
}

// isOf reports whether a campaign belongs to a project of the snapshot.
func (s *Snapshot) isOf(c *Campaign, project string) bool {
	return c.Spec.Project == project || c.Spec.Project == "" && len(s.Projects) == 1
}

// knownProjects are the projects of the settings and those that campaigns name; nil if they are
// fewer than two.
func (s *Snapshot) knownProjects() (known []string) {
	for _, each := range s.Projects {
		known = append(known, each.ID)
	}
	for _, each := range s.Campaigns {
		known = append(known, each.Spec.Project)
	}
	slices.Sort(known)
	known = slices.DeleteFunc(slices.Compact(known), func(id string) bool { return id == "" })
	if len(known) < 2 {
		return nil
	}
	return known
}

// runningOf returns the running campaigns of a project.
func (s *Snapshot) runningOf(project string) (running []operator.View) {
	for _, each := range s.around.Running {
		if s.isOf(&Campaign{View: each}, project) {
			running = append(running, each)
		}
	}
	return running
}

// waitingIn counts the running campaigns of a project that have people to send to.
func (s *Snapshot) waitingIn(project string) (n int) {
	for _, each := range s.runningOf(project) {
		if each.Books.CountOpen() > 0 {
			n++
		}
	}
	return n
}

// projectLabel names what the console shows, beside its own name.
func (c *Console) projectLabel() string {
	switch all := c.deps.Projects; len(all) {
	case 0:
		return "no project"
	case 1:
		return all[0].ID
	default:
		return fmt.Sprintf("%d projects", len(all))
	}
}

// projectURL is the page of a project.
func (c *Console) projectURL(id string) string { return c.opts.Prefix + "/projects/" + id }

// projectRow is a project in the table of several.
type projectRow struct {
	ID, URL   string
	State     shownState
	Text      string // what stops it, or that it has no quota
	Known     bool   // whether the pace is known
	Now       string
	Limit     string
	Used      bar
	Waiting   int
	Do, Label string // the action: halt or resume
}

// projectRows lists the projects: first those that need a person, then those that wait.
func (c *Console) projectRows(s *Snapshot) []projectRow {
	rows := make([]projectRow, len(s.Projects))
	for i, each := range s.Projects {
		rows[i] = c.projectRowOf(s, each)
	}
	rank := map[string]int{stateBroken.Class: 0, stateHeld.Class: 1}
	order := func(r projectRow) int {
		if n, stops := rank[r.State.Class]; stops {
			return n
		}
		return len(rank)
	}
	slices.SortStableFunc(rows, func(a, b projectRow) int { return cmp.Compare(order(a), order(b)) })
	return rows
}

func (c *Console) projectRowOf(s *Snapshot, p projectState) projectRow {
	row := projectRow{ID: p.ID, URL: c.projectURL(p.ID), Waiting: s.waitingIn(p.ID)}
	if p.Pace == nil {
		row.State, row.Text = shownState{"is-draft", "No quota", "i-info"}, "Pacing is disabled."
		return row
	}
	used, allowed := s.minuteOf(p)
	row.Known, row.Now, row.Limit, row.Used = true, operator.Thousands(used), operator.Thousands(allowed), minuteBarTo(used, allowed)
	row.State, row.Do, row.Label = shownState{"is-completed", "Open", "i-check"}, "halt", "Halt…"
	if stop := stopOf(*p.Pace, row.Waiting); stop != nil {
		text, _ := gateText(operator.FindHold(*p.Pace), s.At)
		row.State, row.Text = stateHeld, stop.Title+". "+stop.Text
		if row.State.Label = capital(text); stop.Tone == stateBroken.Class {
			row.State, row.Text = shownState{"is-broken", "Halted", "i-broken"}, capital(stop.Text)
		}
	}
	if len(p.Pace.Halts) > 0 {
		row.Do, row.Label = "resume", "Resume…"
	}
	return row
}

// projectFact links a campaign to its project, where the console shows several.
func (c *Console) projectFact(s *Snapshot, named string) []fact {
	if len(s.Projects) < 2 || named == "" {
		return nil
	}
	found, known := s.findProject(named)
	switch {
	case !known:
		return []fact{{Label: "Project", Value: named, After: ", not in the settings"}}
	case found.Pace == nil:
		return []fact{{Label: "Project", Value: named, URL: c.projectURL(named)}}
	}
	used, allowed := s.minuteOf(found)
	after := fmt.Sprintf(", %s of %s this minute", operator.Thousands(used), operator.Thousands(allowed))
	if hold := operator.FindHold(*found.Pace); hold != nil {
		text, _ := gateText(hold, s.At)
		after = ", " + text
	}
	return []fact{{Label: "Project", Value: named, After: after, URL: c.projectURL(named)}}
}
