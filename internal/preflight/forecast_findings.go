package preflight

import (
	"fmt"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

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
