package preflight

import (
	"context"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// Forecast says when a campaign would end if it began now, at the present quota. It counts on dispatchers that are fast enough,
// on every recipient being sent to once, and on no pushes but those of campaigns that run already.
type Forecast struct {
	Now time.Time `json:"now"`
	// Pushes of this campaign, and those of others that go before its last one.
	Pushes int64 `json:"pushes"`
	Others int64 `json:"others"`
	// Rate is the pace in pushes a second once the ramp is done, the campaign's own cap considered.
	Rate float64 `json:"rate"`
	// Ends is when the last push goes; zero: never, for the project is halted.
	Ends time.Time `json:"ends,omitzero"`
	// Quarters are the quarter hours around which Google asks to send nothing, and the campaign would send.
	Quarters []time.Time `json:"quarters,omitempty"`
	// Deadline is the campaign's own or its list's expiry, whichever comes first; zero: none.
	Deadline time.Time `json:"deadline,omitzero"`
	// Late is how many recipients the deadline would leave unsent, at the least.
	Late int64 `json:"late"`
}

// rival is another campaign that wants a part of the quota.
type rival struct {
	pushes           int64
	weight, priority int
	rate             float64 // its own cap; 0: none
}

// forecast adds what is to be said of the time.
func (c *Checker) forecast(ctx context.Context, view operator.View, pacer Pacer, report *Report) error {
	state, err := pacer.State(ctx)
	if err != nil {
		return err
	}
	rivals, err := c.rivals(ctx, view.Spec.ID, view.Spec.Project)
	if err != nil {
		return err
	}
	report.Forecast = foresee(state, view.Spec, view.Books.Open(), rivals, view.Deadline())
	report.add(report.Forecast.findings(state, view.Spec)...)
	return nil
}

// rivals are the other campaigns that run now.
func (c *Checker) rivals(ctx context.Context, id, project string) ([]rival, error) {
	all, err := c.deps.Campaigns.List(ctx)
	if err != nil {
		return nil, err
	}
	var rivals []rival
	for _, other := range all {
		if s := other.Spec; s.ID != id && s.State == campaign.Running && other.Err == nil && operator.Sendable(s) == nil && sameProject(s, project) && other.Books.Open() > 0 {
			rivals = append(rivals, rival{other.Books.Open(), max(1, s.Weight), s.Priority, s.Rate})
		}
	}
	return rivals, nil
}

// sameProject reports whether a campaign shares the quota of a project; one that names none may.
func sameProject(s campaign.Spec, project string) bool {
	return s.Project == "" || project == "" || s.Project == project
}

func foresee(state pacing.State, spec campaign.Spec, pushes int64, rivals []rival, deadline time.Time) Forecast {
	f := Forecast{Now: state.Now, Pushes: pushes, Rate: state.Settings.Rate(), Deadline: deadline}
	if spec.Rate > 0 {
		f.Rate = min(f.Rate, spec.Rate)
	}
	if pushes == 0 {
		return f
	}
	f.Others, f.Ends = arrival(state, spec, pushes, rivals)
	if f.Ends.IsZero() {
		return f
	}
	if !state.Settings.AvoidQuarterHours {
		f.Quarters = pacing.QuarterHours(state.Now, f.Ends)
	}
	if !deadline.IsZero() && f.Ends.After(deadline) {
		f.Late = late(state, spec, pushes, rivals, deadline)
	}
	return f
}
