package console

import (
	"context"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/operator"
)

// Snapshot is the system at one moment. It is never changed after it was made.
type Snapshot struct {
	At        time.Time // this process's clock
	Took      time.Duration
	Campaigns []Campaign
	Projects  []projectState
	Backlog   operator.Backlog
	Fleet     []fleet.Process // the running dispatchers and responders
	// Silent are processes that stopped beating without a word, each as its last beat had it.
	Silent []silentProcess
	// Unwritten says why results do not reach SQL; nil if they do, or if none waits.
	Unwritten *operator.Reason
	// Err says why nothing newer is known; the figures are those of the last good snapshot.
	Err error
	// GoodAt is the moment of the figures.
	GoodAt time.Time

	byID   map[string]*Campaign
	pushed map[string]int64      // requests of campaigns in the present minute
	around operator.Surroundings // what the campaigns depend on, beside the pace of their project
}

// Campaign is one campaign of a snapshot.
type Campaign struct {
	operator.View

	Speed operator.Speed
}

// find returns a campaign of the list; nil if it has none of that id.
func (s *Snapshot) find(id string) *Campaign { return s.byID[id] }

// findSurroundings returns what all campaigns of the snapshot depend on.
func (s *Snapshot) findSurroundings() operator.Surroundings {
	around := operator.Surroundings{Now: s.At, Fleet: s.Fleet}
	for i := range s.Campaigns {
		if v := s.Campaigns[i].View; v.Spec.State == campaign.Running {
			around.Running = append(around.Running, v)
		}
	}
	return around
}

// snapshotTimeout limits one snapshot. A page then says that its figures are old.
const snapshotTimeout = 5 * time.Second

// takeSnapshot reads the system. If that fails, it returns the last figures with the error.
func (c *Console) takeSnapshot(ctx context.Context, before *Snapshot) *Snapshot {
	ctx, cancel := context.WithTimeout(ctx, snapshotTimeout)
	defer cancel()
	began := c.now()
	s, err := c.readSnapshot(ctx, before)
	if err != nil {
		s = &Snapshot{Err: err}
		if before != nil {
			old := *before
			old.Err = err
			s = &old
		}
	} else {
		s.GoodAt = began
	}
	s.At, s.Took = began, c.now().Sub(began)
	return s
}

func (c *Console) readSnapshot(ctx context.Context, before *Snapshot) (*Snapshot, error) {
	views, err := c.deps.System.ListAgain(ctx, &c.listed)
	if err != nil {
		return nil, err
	}
	s := &Snapshot{At: c.now(), Campaigns: make([]Campaign, len(views)), byID: make(map[string]*Campaign, len(views))}
	if s.Backlog, err = c.deps.System.Backlog(ctx); err != nil {
		return nil, err
	}
	if s.Fleet, err = c.deps.System.Processes(ctx); err != nil {
		return nil, err
	}
	s.Silent = findSilent(before, s.Fleet, s.At)
	if s.Projects, err = c.readProjects(ctx); err != nil {
		return nil, err
	}
	for i, v := range views {
		each := &s.Campaigns[i]
		each.View = v
		s.byID[v.Spec.ID] = each
		var past operator.Speed
		if before != nil {
			if old := before.find(v.Spec.ID); old != nil {
				past = old.Speed
			}
		}
		each.Speed = past.Observe(s.At, v.Books.CountEnded())
	}
	c.deps.System.Forecast(ctx, s.moving()...)
	if s.pushed, err = c.deps.System.PushedThisMinute(ctx, s.pushing()); err != nil {
		return nil, err
	}
	s.Unwritten = operator.WhyResultsWait(s.Backlog, s.Fleet)
	s.around = s.findSurroundings()
	for i := range s.Campaigns {
		c.explainDue(ctx, &s.Campaigns[i].View, s)
		s.Campaigns[i].Reasons = operator.Why(s.Campaigns[i].View, s.surroundingsOf(s.Campaigns[i].Spec.Project))
	}
	return s, nil
}

// moving are the campaigns in which recipients end. The others have no rate to read.
func (s *Snapshot) moving() (views []*operator.View) {
	for i := range s.Campaigns {
		if each := &s.Campaigns[i]; each.Speed.Now() > 0 {
			views = append(views, &each.View)
		}
	}
	return views
}
