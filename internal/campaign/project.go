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

// projectMemory is how long a Firebase project stays known after one of its dispatchers looked
// for campaigns. A project that only uses Jobs is seen only while one of them runs.
const projectMemory = 24 * time.Hour

// ProjectError says that this process must not send a campaign, because it belongs to another
// project or may do so.
type ProjectError struct {
	ID      string
	Project string    // named by the campaign; "" if it names none
	Mine    string    // what this process sends for
	Known   []Project // all projects of this Redis
}

func (e *ProjectError) Error() string {
	if e.Project == "" {
		return fmt.Sprintf("campaign %s names no Firebase project, and several send from this Redis: %s", e.ID, ExplainUnassigned(e.ID, e.Known))
	}
	return fmt.Sprintf("campaign %s belongs to the Firebase project %s, and this dispatcher sends for %s: start a dispatcher of that project, or give it to this one with: fanfare campaign set %s --project %s",
		e.ID, e.Project, e.Mine, e.ID, e.Mine)
}

// ExplainUnassigned says what to do about a campaign that names none of several projects.
func ExplainUnassigned(id string, known []Project) string {
	var ids, seen []string
	for _, p := range known {
		ids = append(ids, p.ID)
		if !p.SeenAt.IsZero() {
			seen = append(seen, p.ID)
		}
	}
	whose := append(seen, ids...)[0]
	text := fmt.Sprintf("%s; say whose it is with: fanfare campaign set %s --project %s", strings.Join(ids, ", "), ShellQuote(id), whose)
	for _, p := range known {
		if p.SeenAt.IsZero() && p.NamedBy != "" {
			text += fmt.Sprintf("; of %s no dispatcher was seen, and campaign %s names it: if that is a mistake, correct it with: fanfare campaign set %s --project %s",
				p.ID, terminal.Printable(p.NamedBy), ShellQuote(p.NamedBy), whose)
		}
	}
	if len(seen) > 1 {
		text += "; forget one that is gone with: fanfare project forget PROJECT"
	}
	return text
}

// Project is a Firebase project that has campaigns in this Redis.
type Project struct {
	ID     string
	SeenAt time.Time // last look of one of its dispatchers; zero: only campaigns or the settings name it
	// NamedBy is the first campaign by id that names it, if nothing else does.
	NamedBy string
}

// Projects lists the known projects by id: those with dispatchers, and those that campaigns name
// which have not ended.
func (c *Campaigns) Projects(ctx context.Context) ([]Project, error) {
	all, err := c.listProjects(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	return all, nil
}

// ProjectsOf is Projects for a caller that has just listed the campaigns.
func (c *Campaigns) ProjectsOf(ctx context.Context, listed []Summary) ([]Project, error) {
	named := make(namedProjects)
	for i := range listed {
		named.add(listed[i].Spec)
	}
	all, err := c.listProjectsAmong(ctx, "", named)
	if err != nil {
		return nil, fmt.Errorf("list projects: %w", err)
	}
	return all, nil
}

// ForgetProject removes a project that has no dispatchers any more.
func (c *Campaigns) ForgetProject(ctx context.Context, project string) error {
	if err := c.rdb.ZRem(ctx, c.names.Projects(), project).Err(); err != nil {
		return fmt.Errorf("forget project %s: %w", project, c.typeError(ctx, err, c.names.Projects(), "zset"))
	}
	return nil
}

// listProjects records that a dispatcher of the project looks for campaigns, and lists all
// projects.
func (c *Campaigns) listProjects(ctx context.Context, looking string) ([]Project, error) {
	ids, err := c.listRegistered(ctx)
	if err != nil {
		return nil, err
	}
	heads, err := c.readAllHeads(ctx, ids)
	if err != nil {
		return nil, err
	}
	return c.listProjectsAmong(ctx, looking, namedByHeads(heads))
}

// namedProjects are the projects that campaigns name which have not ended, each with the first one
// by id. So the order in which a caller has listed them does not matter.
type namedProjects map[string]string

func (n namedProjects) add(s Spec) {
	if s.Project == "" || s.State.HasEnded() {
		return
	}
	if first, there := n[s.Project]; !there || s.ID < first {
		n[s.Project] = s.ID
	}
}

func namedByHeads(heads []head) namedProjects {
	named := make(namedProjects)
	for i := range heads {
		named.add(heads[i].spec)
	}
	return named
}

func (c *Campaigns) listProjectsAmong(ctx context.Context, looking string, named namedProjects) ([]Project, error) {
	reply, err := rememberScript.Run(ctx, c.rdb, []string{c.names.Projects()}, looking, projectMemory.Milliseconds()).StringSlice()
	if err != nil {
		return nil, redisx.AsTypeError(err)
	}
	known := make(map[string]Project)
	for pair := range slices.Chunk(reply, 2) {
		if ms, err := strconv.ParseInt(pair[len(pair)-1], 10, 64); err == nil && len(pair) == 2 {
			known[pair[0]] = Project{ID: pair[0], SeenAt: bounds.Milli(ms)}
		}
	}
	for _, id := range c.o.Projects {
		if _, there := known[id]; !there {
			known[id] = Project{ID: id}
		}
	}
	for id, campaign := range named {
		if _, there := known[id]; !there {
			known[id] = Project{ID: id, NamedBy: campaign}
		}
	}
	all := make([]Project, 0, len(known))
	for _, id := range slices.Sorted(maps.Keys(known)) {
		all = append(all, known[id])
	}
	return all, nil
}

// checkNamedProject returns a *ProjectError if a campaign names another project.
func (c *Campaigns) checkNamedProject(s Spec) error {
	if s.Project == "" {
		return nil
	}
	return c.checkProject(s, nil)
}

// checkProject returns a *ProjectError unless this process may send the campaign. The campaign
// must name its project, or none while no other project is known. A process without a project
// accepts every campaign.
func (c *Campaigns) checkProject(s Spec, known []Project) error {
	mine := c.o.Project
	if mine == "" || s.Project == mine {
		return nil
	}
	if s.Project == "" && !slices.ContainsFunc(known, func(p Project) bool { return p.ID != mine }) {
		return nil
	}
	return &ProjectError{ID: s.ID, Project: s.Project, Mine: mine, Known: known}
}
