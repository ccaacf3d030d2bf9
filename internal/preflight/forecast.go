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

// Forecast says when a campaign would end if it began now, at the present quota. It assumes that
// dispatchers are fast enough, and that no push is repeated. Only campaigns that run already
// compete for the quota.
type Forecast struct {
	Now time.Time `json:"now"`
	// Pushes are those of this campaign. Others are those of other campaigns that go before its
	// last one. PushesEach is how many of them a recipient gets on average: one for each device.
	Pushes     int64   `json:"pushes"`
	PushesEach float64 `json:"pushesEach"`
	Others     int64   `json:"others"`
	// Rate is the pace in pushes a second after the ramp, limited by the campaign's own rate.
	Rate float64 `json:"rate"`
	// Ends is when the last push goes. It is zero if the project is halted.
	Ends time.Time `json:"ends,omitzero"`
	// Quarters are the quarter hours that the campaign would run through. Google asks to send
	// nothing around them.
	Quarters []time.Time `json:"quarters,omitempty"`
	// Deadline is the campaign's own deadline or its list's expiry, whichever is first. Zero means
	// none.
	Deadline time.Time `json:"deadline,omitzero"`
	// Waves is the plan of a campaign with a schedule; nil for others.
	Waves *operator.WavePlan `json:"waves,omitempty"`
	// Late is how many recipients at least would be unsent at the deadline.
	Late int64 `json:"late"`
}

// rival is another running campaign that uses part of the quota.
type rival struct {
	pushes           int64
	weight, priority int
	rate             float64 // its own rate limit; 0 means none
}

// forecast adds the forecast and its findings to the report.
func (c *Checker) forecast(ctx context.Context, view operator.View, pacer Pacer, report *Report) error {
	state, err := pacer.State(ctx)
	if err != nil {
		return err
	}
	rivals, err := c.listRivals(ctx, view.Spec.ID, view.Spec.Project)
	if err != nil {
		return err
	}
	each, err := c.deps.Operator.PushesEach(ctx, view.Spec)
	if err != nil {
		return err
	}
	report.Forecast = newForecast(state, view.Spec, pushesOf(view.Books.CountOpen(), each), rivals, view.Deadline())
	report.Forecast.countRecipients(each)
	if report.Forecast.Waves, err = c.deps.Operator.PlanWaves(ctx, view, state); err != nil {
		return err
	}
	if waves := report.Forecast.Waves; waves != nil {
		report.Forecast.Late, report.Forecast.Quarters = waves.Expired, nil
		if len(state.Halts) == 0 {
			report.Forecast.Ends = waves.Ends
		}
		report.add(paceFinding(state))
		report.add(waveFindings(waves, state, view.Deadline())...)
		return nil
	}
	report.add(report.Forecast.findings(state, view.Spec)...)
	return nil
}

// listRivals lists the other campaigns that run now and share the project's quota.
func (c *Checker) listRivals(ctx context.Context, id, project string) ([]rival, error) {
	all, err := c.deps.Campaigns.List(ctx)
	if err != nil {
		return nil, err
	}
	var rivals []rival
	for _, other := range all {
		if s := other.Spec; s.ID != id && s.State == campaign.Running && other.Err == nil && operator.CheckSendable(s) == nil && operator.SharesQuota(s.Project, project) && other.Books.CountOpen() > 0 {
			each, err := c.deps.Operator.PushesEach(ctx, s)
			if err != nil {
				return nil, err
			}
			rivals = append(rivals, rival{pushesOf(other.Books.CountOpen(), each), max(1, s.Weight), s.Priority, s.Rate})
		}
	}
	return rivals, nil
}

// pushesOf is how many pushes so many recipients get.
func pushesOf(people int64, each float64) int64 { return int64(math.Ceil(float64(people) * each)) }

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

// estimateEnd estimates when the last push goes, and how many pushes of others go before it. A
// rival with its own rate limit sends no more than that in the time. The estimate therefore starts
// from the longest time and shrinks until it is stable.
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

// pushesBefore returns how many of a rival's pushes go before the last push of a campaign that
// takes some seconds. A higher priority goes first. An equal priority gets its share by weight.
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

// countLate returns how many pushes would go after the deadline. It searches for the largest
// audience that would be done in time.
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

// countRecipients turns the pushes that would be late into recipients. Each gets so many.
func (f *Forecast) countRecipients(each float64) {
	f.PushesEach = each
	f.Late = f.recipients(f.Late)
}

// recipients is how many get so many pushes.
func (f Forecast) recipients(pushes int64) int64 {
	return int64(math.Round(float64(pushes) / max(1, f.PushesEach)))
}

// findings describe the pace, the time, the quarter hours and the deadline.
func (f Forecast) findings(state pacing.State, spec campaign.Spec) []checks.Finding {
	found := []checks.Finding{paceFinding(state)}
	if f.Pushes == 0 {
		return found
	}
	if f.Ends.IsZero() {
		return append(found, checks.Finding{Name: "time", Grade: checks.Failure, Detail: "never ends: the project is halted", Advice: "fix the cause, then run fanfare project resume"})
	}
	detail := fmt.Sprintf("takes %s, until %s, %s a second once the ramp is done", operator.Span(f.Ends.Sub(f.Now).Round(time.Second)), operator.LocalTime(f.Ends), operator.Decimal(f.Rate))
	if f.Others > 0 {
		detail += fmt.Sprintf("; %s pushes of other campaigns go before its last one", operator.Thousands(f.Others))
	}
	if each := operator.DescribePushes(f.PushesEach); each != "" {
		detail += "; " + each
	}
	if spec.Rate > 0 && f.Rate == spec.Rate {
		detail += "; limited by the campaign's own rate"
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
		f.Grade, f.Detail, f.Advice = checks.Failure, "the project is halted: "+strings.Join(reasons, "; "), "fix the cause, then run fanfare project resume"
	case state.Gate.IsClosed(state.Now):
		f.Grade = checks.Warning
		f.Detail = fmt.Sprintf("the gate is closed until %s%s", operator.LocalTime(state.Gate.Until), state.Gate.Cause())
		f.Advice = "wait until it opens; the forecast includes the wait"
	}
	return f
}

func (f Forecast) quarterFinding(state pacing.State) checks.Finding {
	q := checks.Finding{Name: "quarter hours", Grade: checks.Good, Detail: "none within two minutes of the run"}
	switch n := len(f.Quarters); {
	case state.Settings.AvoidQuarterHours:
		q.Detail = "avoided: nothing is sent within two minutes of :00, :15, :30 and :45; the time above includes that"
	case n > 0:
		var first []string
		for _, at := range f.Quarters[:min(n, 4)] {
			first = append(first, at.Local().Format("15:04"))
		}
		q.Grade, q.Detail = checks.Warning, fmt.Sprintf("sends within two minutes of %s", strings.Join(first, ", "))
		if n > len(first) {
			q.Detail += fmt.Sprintf(" and %d more", n-len(first))
		}
		q.Advice = "Google asks to avoid them: start two minutes after one, or run fanfare quota set --avoid-quarter-hours"
	}
	return q
}

// slack is the share of the time until a deadline that should be left over.
const slack = 0.1

func (f Forecast) deadlineFinding() checks.Finding {
	left := f.Deadline.Sub(f.Now)
	switch {
	case f.Deadline.IsZero():
		return checks.Finding{Name: "deadline", Grade: checks.Good, Detail: "none"}
	case f.Late > 0:
		return checks.Finding{
			Name: "deadline", Grade: checks.Failure, Detail: fmt.Sprintf("%s would be missed: %s of %s recipients would end as expired", operator.LocalTime(f.Deadline), operator.Thousands(f.Late), operator.Thousands(f.recipients(f.Pushes))),
			Advice: "start earlier, move the deadline or the list's expiry, or raise the campaign's rate or priority",
		}
	case f.Ends.Sub(f.Now) > time.Duration((1-slack)*float64(left)):
		return checks.Finding{
			Name: "deadline", Grade: checks.Warning, Detail: fmt.Sprintf("%s leaves %s", operator.LocalTime(f.Deadline), operator.Span(f.Deadline.Sub(f.Ends).Round(time.Second))),
			Advice: "retries and slow dispatchers may use that up",
		}
	}
	return checks.Finding{Name: "deadline", Grade: checks.Good, Detail: fmt.Sprintf("%s, %s after the last push", operator.LocalTime(f.Deadline), operator.Span(f.Deadline.Sub(f.Ends).Round(time.Second)))}
}
