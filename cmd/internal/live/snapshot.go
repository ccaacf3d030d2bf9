package live

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	tea "charm.land/bubbletea/v2"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// snapshot is the system at one moment. It is never changed after it was made.
type snapshot struct {
	at      time.Time // this process's clock
	rows    []row     // what needs a person first
	pace    *pacing.State
	backlog operator.Backlog
	fleet   []fleet.Process
	rate    float64 // recipients ended a second in all campaigns
}

// row is one campaign of the table.
type row struct {
	operator.View

	rate float64 // recipients ended a second
	left time.Duration
}

// client does the reading and acting. It reads one snapshot at a time.
type client struct {
	ctx     context.Context
	system  System
	paces   operator.FindPace
	explain func(id string, err error) error
	now     func() time.Time

	memory operator.ListMemory
	rates  map[string]*operator.Pace // by campaign id
}

// snapshotTimeout limits one snapshot. The view then says that its figures are old.
const snapshotTimeout = 5 * time.Second

// snapshotMsg is the end of a reading.
type snapshotMsg struct {
	snapshot *snapshot
	err      error
}

// read reads the system. What only Show knows is read of the selected campaign alone.
func (c *client) read(selected string) tea.Cmd {
	return func() tea.Msg {
		ctx, cancel := context.WithTimeout(c.ctx, snapshotTimeout)
		defer cancel()
		s, err := c.readSnapshot(ctx, selected)
		return snapshotMsg{s, err}
	}
}

func (c *client) readSnapshot(ctx context.Context, selected string) (*snapshot, error) {
	views, err := c.system.ListAgain(ctx, &c.memory)
	if err != nil {
		return nil, err
	}
	s := &snapshot{at: c.now()}
	if s.backlog, err = c.system.Backlog(ctx); err != nil {
		return nil, err
	}
	if s.fleet, err = c.system.Processes(ctx); err != nil {
		return nil, err
	}
	s.pace = c.paces.Read(ctx, "")
	if err := c.readSelected(ctx, views, selected); err != nil {
		return nil, err
	}
	c.addRows(ctx, s, views)
	return s, nil
}

// readSelected replaces the view of the selected campaign by what Show knows of it.
func (c *client) readSelected(ctx context.Context, views []operator.View, selected string) error {
	at := slices.IndexFunc(views, func(v operator.View) bool { return v.Spec.ID == selected })
	if at < 0 {
		return nil
	}
	view, err := c.system.Show(ctx, selected)
	if errors.Is(err, campaign.ErrNotFound) {
		return nil // it was deleted meanwhile
	}
	if err == nil {
		views[at] = view
	}
	return err
}

// endedFor is how long a campaign that has ended stays in the table.
const endedFor = 10 * time.Minute

// addRows adds the campaigns with their reasons and rates, except those that ended long ago.
func (c *client) addRows(ctx context.Context, s *snapshot, views []operator.View) {
	c.forecast(ctx, views)
	around := operator.Surroundings{Now: s.at, Fleet: s.fleet}
	paces := map[string]*pacing.State{"": s.pace}
	for _, v := range views {
		if v.Spec.State == campaign.Running {
			around.Running = append(around.Running, v)
		}
	}
	before := c.rates
	c.rates = make(map[string]*operator.Pace, len(views))
	for _, v := range views {
		if v.Spec.State.HasEnded() && s.at.Sub(v.Spec.FinishedAt) > endedFor {
			continue
		}
		project := v.Spec.Project
		if _, read := paces[project]; !read {
			paces[project] = c.paces.Read(ctx, project)
		}
		around.Pace = paces[project]
		v.Reasons = operator.Why(v, around)
		rate := cmp.Or(before[v.Spec.ID], &operator.Pace{})
		c.rates[v.Spec.ID] = rate
		progress := rate.Observe(s.at, v)
		s.rows = append(s.rows, row{v, progress.Rate, progress.Left})
		s.rate += progress.Rate
	}
	slices.SortStableFunc(s.rows, func(a, b row) int {
		return cmp.Or(cmp.Compare(a.section(), b.section()), cmp.Compare(b.Spec.Priority, a.Spec.Priority), cmp.Compare(a.Spec.ID, b.Spec.ID))
	})
}

// forecast sets the forecasts, from which the reasons tell who uses the quota.
func (c *client) forecast(ctx context.Context, views []operator.View) {
	running := make([]*operator.View, 0, len(views))
	for i := range views {
		if v := &views[i]; v.Spec.State == campaign.Running && v.Books.CountOpen() > 0 {
			running = append(running, v)
		}
	}
	c.system.Forecast(ctx, running...)
}

// section is the place of a campaign in the table: what needs a person, what moves, what waits,
// what has ended.
func (r row) section() int {
	switch {
	case r.NeedsPerson():
		return 0
	case r.Spec.State == campaign.Running:
		return 1
	case r.Spec.State.HasEnded():
		return 3
	}
	return 2
}
