package operator

import (
	"context"
	"sync"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/pacing"
	"fanfare/internal/redact"
	"fanfare/internal/store"
)

// PaceReader reads the pace of a Firebase project; *pacing.Governor implements it.
type PaceReader interface {
	State(ctx context.Context) (pacing.State, error)
}

// FindPace returns the pace of the Firebase project that a campaign names, which is "" if it names
// none. It returns nil if the pace is unknown.
type FindPace func(project string) PaceReader

// of returns nil without a FindPace.
func (f FindPace) of(project string) PaceReader {
	if f == nil {
		return nil
	}
	return f(project)
}

// Written says how many outcomes of a campaign are in SQL.
type Written struct {
	InSQL int64  `json:"inSQL"`
	Of    int64  `json:"of"` // recipients that have ended
	Error string `json:"error,omitempty"`
}

// Unwritten is how many outcomes are not in SQL yet.
func (w *Written) Unwritten() int64 {
	if w == nil || w.Error != "" {
		return 0
	}
	return max(0, w.Of-w.InSQL)
}

func (o *Operator) readWritten(ctx context.Context, v *View) *Written {
	if o.deps.Records == nil {
		return nil
	}
	w := &Written{Of: v.Books.CountEnded()}
	var summary store.Summary
	errs := o.askTogether(ctx, func(ctx context.Context) (err error) {
		summary, err = o.deps.Records.Summary(ctx, v.Spec.ID)
		return err
	})
	if errs[0] != nil {
		w.Error = redact.Text(errs[0].Error())
	}
	w.InSQL = min(summary.Total(), w.Of) // more may have ended since the books were read
	return w
}

// Explain sets why a campaign does not move, how long it takes, and how many of its outcomes are in
// SQL. It never fails: what cannot be read is unknown, because the reasons are a remark beside the
// figures. paces may be nil.
func (o *Operator) Explain(ctx context.Context, v *View, paces FindPace) {
	if v.Books.CountEnded() > 0 {
		v.Written = o.readWritten(ctx, v)
	}
	waits := v.Written.Unwritten() > 0 || v.Written != nil && v.Written.Error != ""
	if v.Spec.State.HasEnded() && v.Err == nil && !waits {
		return
	}
	around := o.readSurroundings(ctx)
	around.Pace = paces.Read(ctx, v.Spec.Project)
	if waits {
		defer o.explainUnwritten(ctx, v, around.Fleet)
	}
	o.Forecast(ctx, v)
	if v.isOvertaken() || around.Pace != nil && v.Spec.State == campaign.Running && v.Books.Waiting > 0 {
		around.Running = o.findKnownRunning(ctx)
	}
	o.explainDue(ctx, v, paces)
	v.Reasons = Why(*v, around)
}

// explainUnwritten adds why outcomes do not reach SQL, if anything stops them.
func (o *Operator) explainUnwritten(ctx context.Context, v *View, processes []fleet.Process) {
	if r := o.whyResultsWait(ctx, processes); r != nil {
		v.Reasons = append(v.Reasons, *r)
	}
}

// ExplainResults returns why results of any campaign do not reach SQL; nil if nothing stops them.
// It never fails, as Explain.
func (o *Operator) ExplainResults(ctx context.Context) *Reason {
	return o.whyResultsWait(ctx, o.readSurroundings(ctx).Fleet)
}

func (o *Operator) whyResultsWait(ctx context.Context, processes []fleet.Process) *Reason {
	backlog, err := o.Backlog(ctx)
	if err != nil {
		return nil
	}
	return WhyResultsWait(backlog, processes)
}

// ExplainAll sets why each of the campaigns does not move, and how long it takes. views have all
// campaigns: one may go before another.
func (o *Operator) ExplainAll(ctx context.Context, views []View, paces FindPace) {
	o.Forecast(ctx, pointersTo(views)...)
	around := o.readSurroundings(ctx)
	around.Running = findRunning(views)
	known := make(map[string]*pacing.State)
	for i := range views {
		project := views[i].Spec.Project
		if _, read := known[project]; !read {
			known[project] = paces.Read(ctx, project)
		}
		around.Pace = known[project]
		o.explainDue(ctx, &views[i], paces)
		views[i].Reasons = Why(views[i], around)
	}
}

func (o *Operator) readSurroundings(ctx context.Context) Surroundings {
	around := Surroundings{Now: o.now()}
	if all, err := o.deps.Fleet.List(ctx); err == nil {
		around.Fleet = all
	}
	return around
}

// Read reads the pace of the project that a campaign names. It returns nil if that is unknown.
func (f FindPace) Read(ctx context.Context, project string) *pacing.State {
	pace := f.of(project)
	if pace == nil {
		return nil
	}
	state, err := pace.State(ctx)
	if err != nil {
		return nil
	}
	return &state
}

// runningAge is how old the other running campaigns may be when one is explained. A watch explains
// one each second, and to list all takes a look at each.
const runningAge = 2 * time.Second

// knownRunning are the running campaigns as they were a moment ago.
type knownRunning struct {
	mu   sync.Mutex
	all  []View
	read time.Time
}

// findKnownRunning lists the running campaigns again once they are too old.
func (o *Operator) findKnownRunning(ctx context.Context) []View {
	k := &o.running
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := o.now(); now.Sub(k.read) > runningAge {
		all, err := o.List(ctx)
		if err != nil {
			return nil
		}
		k.all, k.read = findRunning(all), now
		o.Forecast(ctx, pointersTo(k.all)...)
	}
	return k.all
}

func findRunning(all []View) (running []View) {
	for _, v := range all {
		if v.Spec.State == campaign.Running {
			running = append(running, v)
		}
	}
	return running
}
