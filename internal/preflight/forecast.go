package preflight

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
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
	rivals, err := c.listRivals(ctx, view.Spec.ID, view.Spec.Project)
	if err != nil {
		return err
	}
	report.Forecast = newForecast(state, view.Spec, view.Books.Open(), rivals, view.Deadline())
	report.add(report.Forecast.findings(state, view.Spec)...)
	return nil
}

// rivals are the other campaigns that run now.
func (c *Checker) listRivals(ctx context.Context, id, project string) ([]rival, error) {
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

func newForecast(state pacing.State, spec campaign.Spec, pushes int64, rivals []rival, deadline time.Time) Forecast {
	f := Forecast{Now: state.Now, Pushes: pushes, Rate: state.Settings.Rate(), Deadline: deadline}
	if spec.Rate > 0 {
		f.Rate = min(f.Rate, spec.Rate)
	}
	if pushes == 0 {
		return f
	}
	f.Others, f.Ends = estimateEnd(state, spec, pushes, rivals)
	if f.Ends.IsZero() {
		return f
	}
	if !state.Settings.AvoidQuarterHours {
		f.Quarters = pacing.QuarterHours(state.Now, f.Ends)
	}
	if !deadline.IsZero() && f.Ends.After(deadline) {
		f.Late = countLate(state, spec, pushes, rivals, deadline)
	}
	return f
}

// arrival is when the last of so many pushes goes, and how many of others go before it. A rival with a cap of its own takes no
// more in that time than the cap lets it: from the longest time that this may be, the estimate comes down to what holds.
func estimateEnd(state pacing.State, spec campaign.Spec, pushes int64, rivals []rival) (others int64, ends time.Time) {
	took := math.Inf(1)
	for {
		others = 0
		for _, r := range rivals {
			others += r.pushesBefore(spec, pushes, took)
		}
		ends = state.ETA(pushes+others, 0)
		if own := state.ETA(pushes, spec.Rate); own.After(ends) {
			ends = own
		}
		if ends.IsZero() {
			return others, ends
		}
		next := ends.Sub(state.Now).Seconds()
		if took-next < max(1, took/1000) {
			return others, ends
		}
		took = next
	}
}

// before is how many of a rival's pushes go before the last one of a campaign that takes so many seconds: all of a higher
// priority's, its share by weight in the same one.
func (r rival) pushesBefore(spec campaign.Spec, pushes int64, seconds float64) int64 {
	n := float64(r.pushes)
	switch {
	case r.priority < spec.Priority:
		return 0
	case r.priority == spec.Priority:
		n = min(n, float64(pushes)*float64(r.weight)/float64(max(1, spec.Weight)))
	}
	if r.rate > 0 {
		n = min(n, math.Ceil(r.rate*seconds))
	}
	return int64(n)
}

// late is how many pushes would go only after the deadline: as many as have to be left out for the rest to be in time.
func countLate(state pacing.State, spec campaign.Spec, pushes int64, rivals []rival, deadline time.Time) int64 {
	inTime, tooMany := int64(0), pushes
	for inTime+1 < tooMany {
		middle := inTime + (tooMany-inTime)/2
		if _, ends := estimateEnd(state, spec, middle, rivals); ends.After(deadline) {
			tooMany = middle
		} else {
			inTime = middle
		}
	}
	return pushes - inTime
}

// findings are those about the time.
func (f Forecast) findings(state pacing.State, spec campaign.Spec) []checks.Finding {
	found := []checks.Finding{paceFinding(state)}
	if f.Pushes == 0 {
		return found
	}
	if f.Ends.IsZero() {
		return append(found, checks.Finding{Name: "time", Grade: checks.Failure, Detail: "would never end: the project is halted", Advice: "fanfare project resume, once its cause is mended"})
	}
	detail := fmt.Sprintf("would take %s, until %s, %s a second once the ramp is done", operator.Span(f.Ends.Sub(f.Now).Round(time.Second)), operator.LocalTime(f.Ends), operator.Decimal(f.Rate))
	if f.Others > 0 {
		detail += fmt.Sprintf("; %s pushes of other campaigns go before its last", operator.Thousands(f.Others))
	}
	if spec.Rate > 0 && f.Rate == spec.Rate {
		detail += "; the campaign's own rate is what bounds it"
	}
	found = append(found, checks.Finding{Name: "time", Grade: checks.Good, Detail: detail}, f.quarterFinding(state))
	return append(found, f.deadlineFinding())
}

func paceFinding(state pacing.State) checks.Finding {
	s := state.Settings
	f := checks.Finding{Name: "pace", Grade: checks.Good, Detail: fmt.Sprintf("%s a minute less %s%% headroom is %s a second, after a ramp of %s",
		operator.Thousands(s.Quota), operator.Decimal(100*s.Headroom), operator.Decimal(s.Rate()), operator.Span(s.Ramp))}
	switch {
	case len(state.Halts) > 0:
		var reasons []string
		for _, h := range state.Halts {
			reasons = append(reasons, h.Reason)
		}
		f.Grade, f.Detail, f.Advice = checks.Failure, "the project is halted: "+strings.Join(reasons, "; "), "fanfare project resume, once its cause is mended"
	case state.Gate.Closed(state.Now):
		f.Grade = checks.Warning
		f.Detail = fmt.Sprintf("the gate is closed until %s: %s", operator.LocalTime(state.Gate.Until), state.Gate.Reason)
		f.Advice = "wait for it; the forecast does"
	}
	return f
}

func (f Forecast) quarterFinding(state pacing.State) checks.Finding {
	q := checks.Finding{Name: "quarter hours", Grade: checks.Good, Detail: "none within two minutes of the run"}
	switch n := len(f.Quarters); {
	case state.Settings.AvoidQuarterHours:
		q.Detail = "avoided: nothing goes within two minutes of :00, :15, :30 and :45, and the time above counts that"
	case n > 0:
		var first []string
		for _, at := range f.Quarters[:min(n, 4)] {
			first = append(first, at.Local().Format("15:04"))
		}
		q.Grade, q.Detail = checks.Warning, fmt.Sprintf("sends within two minutes of %s", strings.Join(first, ", "))
		if n > len(first) {
			q.Detail += fmt.Sprintf(" and %d more", n-len(first))
		}
		q.Advice = "Google asks to avoid them: begin two minutes after one, or let the pace avoid them: fanfare quota set --avoid-quarter-hours"
	}
	return q
}

// slack is the part of the time until a deadline that a forecast should leave.
const slack = 0.1

func (f Forecast) deadlineFinding() checks.Finding {
	left := f.Deadline.Sub(f.Now)
	switch {
	case f.Deadline.IsZero():
		return checks.Finding{Name: "deadline", Grade: checks.Good, Detail: "none"}
	case f.Late > 0:
		return checks.Finding{
			Name: "deadline", Grade: checks.Failure, Detail: fmt.Sprintf("%s would be missed: %s of %s recipients would end as expired", operator.LocalTime(f.Deadline), operator.Thousands(f.Late), operator.Thousands(f.Pushes)),
			Advice: "begin earlier, move the deadline or the list's expiry, or raise the campaign's rate or priority",
		}
	case f.Ends.Sub(f.Now) > time.Duration((1-slack)*float64(left)):
		return checks.Finding{
			Name: "deadline", Grade: checks.Warning, Detail: fmt.Sprintf("%s leaves %s", operator.LocalTime(f.Deadline), operator.Span(f.Deadline.Sub(f.Ends).Round(time.Second))),
			Advice: "retries and slow dispatchers may use that up",
		}
	}
	return checks.Finding{Name: "deadline", Grade: checks.Good, Detail: fmt.Sprintf("%s, %s after the last push", operator.LocalTime(f.Deadline), operator.Span(f.Deadline.Sub(f.Ends).Round(time.Second)))}
}
