package operator

import (
	"strings"
	"time"

	"fanfare/internal/pacing"
)

// HeldBy is what keeps a project's pushes back.
type HeldBy string

// From what a person has to end to what ends soonest.
const (
	HeldByHalt        HeldBy = "halt"
	HeldByGate        HeldBy = "gate"
	HeldByQuarterHour HeldBy = "quarter_hour"
)

// Held tells why nothing of a project goes at the moment.
type Held struct {
	By     HeldBy    `json:"by"`
	Since  time.Time `json:"since,omitzero"` // of a halt, which lasts until a person, or whoever halted the project, ends it
	Until  time.Time `json:"until,omitzero"` // of all else, which ends by itself
	Reason string    `json:"reason,omitempty"`
}

// WhyHeld is nil where pushes may go.
func WhyHeld(s pacing.State) *Held {
	var reasons []string
	for _, halt := range s.Halts {
		reasons = append(reasons, halt.Reason)
	}
	switch avoided := s.Avoids(); {
	case len(reasons) > 0:
		return &Held{By: HeldByHalt, Since: s.Halts[0].Since.UTC(), Reason: strings.Join(reasons, "; ")}
	case s.Gate.Closed(s.Now):
		return &Held{By: HeldByGate, Until: s.Gate.Until.UTC(), Reason: s.Gate.Reason}
	case !avoided.IsZero():
		return &Held{By: HeldByQuarterHour, Until: avoided.UTC()}
	}
	return nil
}
