package main

import (
	"fmt"
	"slices"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/terminal"
)

func printQuota(o output, project string, s pacing.State) {
	v := operator.NewQuotaView(project, s)
	terminal.Heading(o.w, o.indent("project ", printable(project)))
	field := func(name, format string, args ...any) {
		fmt.Fprintln(o.w, o.indent(fmt.Sprintf("  %-13s ", name), printable(fmt.Sprintf(format, args...))))
	}
	origin := "as in the settings"
	if v.Set {
		origin = "set by an operator; fanfare quota reset undoes that"
	}
	field("quota", "%s a minute less %.4g%% headroom (%s)", operator.Thousands(v.PerMinute), v.HeadroomPercent, origin)
	field("pace", "%s a second, now %s", rateOf(v.Full), rateOf(v.Now))
	field("ramp", "%s, %.0f%% done", operator.Span(s.Settings.Ramp), 100*v.Warm)
	avoided := "not avoided"
	if v.AvoidQuarterHours {
		avoided = "avoided by two minutes"
	}
	if !v.AvoidedUntil.IsZero() {
		avoided += "; nothing is sent until " + localTime(v.AvoidedUntil)
	}
	field("quarter hours", "%s", avoided)
	if v.GateUntil.IsZero() && !isClosedByHand(v) {
		field("gate", "open")
	} else if !v.GateUntil.IsZero() {
		field("gate", "closed until %s%s", localTime(v.GateUntil), s.Gate.Cause())
	}
	halted := false
	for _, h := range v.Halts {
		if h.Reason == pacing.ClosedByHand {
			field("gate", "closed since %s by %s, until: fanfare quota open", localTime(h.Since), h.By)
			continue
		}
		halted = true
		field("halted", "since %s by %s: %s", localTime(h.Since), h.By, h.Reason)
	}
	switch hold := operator.FindHold(s); {
	case halted && hold.EndsByItself:
		field("", "it resumes when FCM answers a probe; or: fanfare project resume")
	case halted:
		field("", "until: fanfare project resume")
	}
}

// isClosedByHand reports whether a person closed the gate.
func isClosedByHand(v operator.QuotaView) bool {
	return slices.ContainsFunc(v.Halts, func(h operator.HaltView) bool { return h.Reason == pacing.ClosedByHand })
}

// rateOf formats a rate for a person, without decimals if it is large.
func rateOf(rate float64) string {
	if rate >= 100 {
		return operator.Thousands(int64(rate + 0.5))
	}
	return fmt.Sprintf("%.3g", rate)
}
