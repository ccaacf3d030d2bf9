package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/terminal"
)

// quotaView is the JSON of a project's pace.
type quotaView struct {
	Project           string     `json:"project"`
	PerMinute         int        `json:"perMinute"`
	HeadroomPercent   float64    `json:"headroomPercent"`
	RampSeconds       float64    `json:"rampSeconds"`
	AvoidQuarterHours bool       `json:"avoidQuarterHours"`
	Set               bool       `json:"set"`                   // by an operator; else these are the settings
	Full              float64    `json:"full"`                  // pushes a second at full pace
	Now               float64    `json:"now"`                   // pushes a second that may go now
	Warm              float64    `json:"warm"`                  // how much of the ramp is done, 0 to 1
	AvoidedUntil      time.Time  `json:"avoidedUntil,omitzero"` // the end of the avoided minutes that it is in now
	GateUntil         time.Time  `json:"gateUntil,omitzero"`
	GateReason        string     `json:"gateReason,omitempty"`
	Halts             []haltView `json:"halts"`
}

type haltView struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	By     string    `json:"by,omitempty"`
}

func newQuotaView(project string, s pacing.State) quotaView {
	v := quotaView{
		Project: project, PerMinute: s.Settings.Quota, HeadroomPercent: 100 * s.Settings.Headroom, RampSeconds: s.Settings.Ramp.Seconds(),
		AvoidQuarterHours: s.Settings.AvoidQuarterHours, Set: s.Overridden, Full: s.Settings.Rate(), Now: s.Rate, Warm: s.Warm,
		Halts: []haltView{},
	}
	if at := s.Avoids(); !at.IsZero() {
		v.AvoidedUntil = at.UTC()
	}
	if s.Gate.Closed(s.Now) {
		v.GateUntil, v.GateReason = s.Gate.Until.UTC(), s.Gate.Reason
	}
	for _, h := range s.Halts {
		v.Halts = append(v.Halts, haltView{h.Reason, h.Since.UTC(), h.By})
	}
	return v
}

func printQuota(w io.Writer, project string, s pacing.State) {
	v := newQuotaView(project, s)
	terminal.Heading(w, "project "+printable(project))
	field := func(name, format string, args ...any) {
		fmt.Fprintln(w, indent(w, fmt.Sprintf("  %-13s ", name), printable(fmt.Sprintf(format, args...))))
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
	if v.GateUntil.IsZero() && !v.closedByHand() {
		field("gate", "open")
	} else if !v.GateUntil.IsZero() {
		field("gate", "closed until %s%s", localTime(v.GateUntil), gateReason(v.GateReason))
	}
	halted := false
	for _, h := range v.Halts {
		if h.Reason == closedByHand {
			field("gate", "closed since %s by %s, until: fanfare quota open", localTime(h.Since), h.By)
			continue
		}
		halted = true
		field("halted", "since %s by %s: %s", localTime(h.Since), h.By, h.Reason)
	}
	switch held := operator.WhyHeld(s); {
	case halted && held.EndsByItself:
		field("", "it resumes when FCM answers a probe; or: fanfare project resume")
	case halted:
		field("", "until: fanfare project resume")
	}
}

// gateReason says what closed the gate.
func gateReason(reason string) string {
	if strings.HasPrefix(reason, closedBy) {
		return strings.TrimPrefix(reason, "closed")
	}
	return ": " + reason
}

func (v quotaView) closedByHand() bool {
	return slices.ContainsFunc(v.Halts, func(h haltView) bool { return h.Reason == closedByHand })
}

// rateOf formats a rate for a person, without decimals if it is large.
func rateOf(rate float64) string {
	if rate >= 100 {
		return operator.Thousands(int64(rate + 0.5))
	}
	return fmt.Sprintf("%.3g", rate)
}
