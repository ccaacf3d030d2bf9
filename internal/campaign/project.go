package campaign

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/redisx"
	"fanfare/internal/terminal"
)

// projectMemory is how long a Firebase project counts as known after one of its dispatchers has looked for campaigns. A project
// whose campaigns are all sent by Jobs is seen only while one of them runs.
const projectMemory = 24 * time.Hour

// ProjectError says that a campaign is not this project's to send.
type ProjectError struct {
	ID      string
	Project string    // that the campaign names; "" where it names none
	Mine    string    // that this process sends for
	Known   []Project // all projects known here
}

func (e *ProjectError) Error() string {
	if e.Project == "" {
		return fmt.Sprintf("campaign %s names no Firebase project, and several send from this Redis: %s", e.ID, Unassigned(e.ID, e.Known))
	}
	return fmt.Sprintf("campaign %s belongs to the Firebase project %s, and this dispatcher sends for %s: start a dispatcher of that project, or give it to this one with: fanfare campaign set %s --project %s",
		e.ID, e.Project, e.Mine, e.ID, e.Mine)
}

// Unassigned says what to do about a campaign that names none of several projects.
func Unassigned(id string, known []Project) string {
	var ids, seen []string
	for _, p := range known {
		ids = append(ids, p.ID)
		if !p.SeenAt.IsZero() {
			seen = append(seen, p.ID)
		}
	}
	whose := append(seen, ids...)[0]
	text := fmt.Sprintf("%s; say whose it is with: fanfare campaign set %s --project %s", strings.Join(ids, ", "), Word(id), whose)
	for _, p := range known {
		if p.SeenAt.IsZero() {
			text += fmt.Sprintf("; of %s no dispatcher was seen, and campaign %s names it: if that is a mistake, correct it with: fanfare campaign set %s --project %s",
				p.ID, terminal.Printable(p.NamedBy), Word(p.NamedBy), whose)
		}
	}
	if len(seen) > 1 {
		text += "; forget one that is gone with: fanfare project forget PROJECT"
	}
	return text
}

// Project is a Firebase project whose campaigns are in this Redis.
type Project struct {
	ID     string
	SeenAt time.Time // when one of its dispatchers looked for campaigns; zero: only campaigns name it
	// NamedBy is the first campaign that names it, where no dispatcher was seen.
	NamedBy string
}

// Projects lists the projects that are known here, by id: those of dispatchers, and those that campaigns name which have not ended.
func (c *Campaigns) Projects(ctx context.Context) ([]Project, error) {
	all, err := c.projects(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	return all, nil
}

// ForgetProject forgets a project of which no dispatcher runs any more.
func (c *Campaigns) ForgetProject(ctx context.Context, project string) error {
	if err := c.rdb.ZRem(ctx, c.names.Projects(), project).Err(); err != nil {
		return fmt.Errorf("forget project %s: %w", project, c.typed(ctx, err, c.names.Projects(), "zset"))
	}
	return nil
}

// projects lists what is known, after it has noted a project of which a dispatcher looks.
func (c *Campaigns) projects(ctx context.Context, looking string) ([]Project, error) {
	ids, err := c.registered(ctx)
	if err != nil {
		return nil, err
	}
	heads, err := c.heads(ctx, ids)
	if err != nil {
		return nil, err
	}
	return c.projectsAmong(ctx, looking, heads)
}

func (c *Campaigns) projectsAmong(ctx context.Context, looking string, heads []head) ([]Project, error) {
	reply, err := projectsScript.Run(ctx, c.rdb, []string{c.names.Projects()}, looking, projectMemory.Milliseconds()).StringSlice()
	if err != nil {
		return nil, redisx.Typed(err)
	}
	known := make(map[string]Project)
	for pair := range slices.Chunk(reply, 2) {
		if ms, err := strconv.ParseInt(pair[len(pair)-1], 10, 64); err == nil && len(pair) == 2 {
			known[pair[0]] = Project{ID: pair[0], SeenAt: bounds.Milli(ms)}
		}
	}
	for _, h := range heads {
		if p := h.spec.Project; p != "" && !h.spec.State.Ended() {
			if _, there := known[p]; !there {
				known[p] = Project{ID: p, NamedBy: h.spec.ID}
			}
		}
	}
	all := make([]Project, 0, len(known))
	for _, id := range slices.Sorted(maps.Keys(known)) {
		all = append(all, known[id])
	}
	return all, nil
}

// foreign returns a *ProjectError where a campaign names another project.
func (c *Campaigns) foreign(s Spec) error {
	if s.Project == "" {
		return nil
	}
	return c.ours(s, nil)
}

// ours returns a *ProjectError unless a campaign is this project's to send: one that names it, or that names none while no other
// project is known. A process that sends for no project looks at all.
func (c *Campaigns) ours(s Spec, known []Project) error {
	mine := c.o.Project
	if mine == "" || s.Project == mine {
		return nil
	}
	if s.Project == "" && !slices.ContainsFunc(known, func(p Project) bool { return p.ID != mine }) {
		return nil
	}
	return &ProjectError{ID: s.ID, Project: s.Project, Mine: mine, Known: known}
}
