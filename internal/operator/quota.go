package operator

import (
	"time"

	"fanfare/internal/pacing"
)

// QuotaView is the JSON of a project's pace.
type QuotaView struct {
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
	GateReason        string     `json:"gateReason,omitempty"` // FCM's words
	GateBy            string     `json:"gateBy,omitempty"`     // "FCM", or a person
	Halts             []HaltView `json:"halts"`
}

// HaltView is why a project is halted, and who halted it.
type HaltView struct {
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	By     string    `json:"by,omitempty"`
}

// NewQuotaView describes the pace of a project.
func NewQuotaView(project string, s pacing.State) QuotaView {
	v := QuotaView{
		Project: project, PerMinute: s.Settings.Quota, HeadroomPercent: 100 * s.Settings.Headroom, RampSeconds: s.Settings.Ramp.Seconds(),
		AvoidQuarterHours: s.Settings.AvoidQuarterHours, Set: s.Overridden, Full: s.Settings.Rate(), Now: s.Rate, Warm: s.Warm,
		Halts: []HaltView{},
	}
	if at := s.AvoidedUntil(); !at.IsZero() {
		v.AvoidedUntil = at.UTC()
	}
	if s.Gate.IsClosed(s.Now) {
		v.GateUntil, v.GateReason, v.GateBy = s.Gate.Until.UTC(), s.Gate.Reason, s.Gate.By
	}
	for _, h := range s.Halts {
		v.Halts = append(v.Halts, HaltView{h.Reason, h.Since.UTC(), h.By})
	}
	return v
}
