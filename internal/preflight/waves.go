package preflight

import (
	"fmt"
	"time"

	"fanfare/internal/checks"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// waveFindings describe the plan of a campaign with a schedule.
func waveFindings(p *operator.WavePlan, state pacing.State, deadline time.Time) []checks.Finding {
	zones := checks.Finding{Name: "time zones", Grade: checks.Good, Detail: "read of all recipients"}
	if p.Unloaded {
		zones.Detail = "read of the recipients in Redis, and not of those who are yet to be loaded"
	} else if !p.Exact {
		zones.Detail = "estimated from a sample of the audience"
	}
	if p.BadZones > 0 {
		zones.Grade = checks.Warning
		zones.Detail += fmt.Sprintf("; about %s recipients have an unknown one", operator.Thousands(p.BadZones))
		zones.Advice = "the campaign's time zone is used for them"
	}
	waves := checks.Finding{Name: "waves", Grade: checks.Good, Detail: fmt.Sprintf("all %d fit; the last push goes at %s", len(p.Waves), operator.LocalTime(p.Ends))}
	switch {
	case len(p.Waves) == 0:
		waves.Grade, waves.Detail, waves.Advice = checks.Failure, "no recipient has a window before the deadline", "move the deadline, or change the windows or the local time"
	case p.Fits() && p.Unloaded:
		waves.Grade, waves.Advice = checks.Warning, "check again when the load is done: those who are yet to be loaded may not fit"
		waves.Detail = fmt.Sprintf("all %d of the recipients in Redis fit; the last of their pushes goes at %s", len(p.Waves), operator.LocalTime(p.Ends))
	case p.Fits() && p.Later > 0:
		waves.Grade, waves.Advice = checks.Warning, "widen the windows, or raise the quota, if all must go in their first window"
		waves.Detail = fmt.Sprintf("all go before the deadline, the last push at %s; about %s recipients go in a later window than their first", operator.LocalTime(p.Ends), operator.Thousands(p.Later))
	case !p.Fits():
		waves.Grade, waves.Detail, waves.Advice = checks.Failure, p.Describe(), p.Advice()+"; fanfare campaign start --late starts it all the same"
	}
	if each := p.DescribePushes(); each != "" && p.Fits() {
		waves.Detail += "; " + each
	}
	if len(state.Halts) > 0 {
		waves.Detail += ", if the project is resumed now"
	}
	found := []checks.Finding{zones, waves, expiredFinding(p, deadline)}
	if at := quarterWave(p); !at.IsZero() {
		f := checks.Finding{Name: "quarter hours", Grade: checks.Warning, Detail: "a wave opens at " + at.UTC().Format("15:04") + " UTC", Advice: "Google asks to avoid quarter hours: open the windows five minutes later"}
		if state.Settings.AvoidQuarterHours {
			f.Grade, f.Advice = checks.Good, ""
			f.Detail += "; the minutes around it are avoided, and the waves are planned so"
		}
		found = append(found, f)
	}
	return found
}

// expiredFinding says how many recipients end as expired.
func expiredFinding(p *operator.WavePlan, deadline time.Time) checks.Finding {
	f := checks.Finding{Name: "deadline", Grade: checks.Good, Detail: "none"}
	if !deadline.IsZero() {
		f.Detail = operator.LocalTime(deadline)
	}
	if p.Expired > 0 {
		f.Grade = checks.Warning
		f.Detail += fmt.Sprintf("; about %s recipients end as expired: no window of theirs is open long enough before it", operator.Thousands(p.Expired))
		f.Advice = "move the deadline, or widen the windows"
	}
	return f
}

// quarterWave is when the first wave opens that does so at a quarter hour; zero if none does.
func quarterWave(p *operator.WavePlan) time.Time {
	for _, w := range p.Waves {
		if w.Opens.Equal(w.Opens.Truncate(15 * time.Minute)) {
			return w.Opens
		}
	}
	return time.Time{}
}
