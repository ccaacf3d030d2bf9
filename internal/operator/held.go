package operator

import (
	"strings"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
)

// HeldBy is what keeps a project's pushes back.
type HeldBy string

// From what a person has to end to what ends soonest.
const (
	HeldByHalt        HeldBy = "halt"
	HeldByGate        HeldBy = "gate"
	HeldByQuarterHour HeldBy = "quarter_hour"
	// HeldBySilence holds one campaign: its pushes get no answers from FCM.
	HeldBySilence HeldBy = "no_answers"
)

// Held tells why nothing of a project, or of one campaign, goes at the moment.
type Held struct {
	By     HeldBy    `json:"by"`
	Since  time.Time `json:"since,omitzero"` // of a halt and of a silence, whose end is not known
	Until  time.Time `json:"until,omitzero"` // of all else, which ends at that time
	Reason string    `json:"reason,omitempty"`
	// EndsByItself says that FCM is asked for it, and that no one has to do anything once it answers.
	EndsByItself bool `json:"endsByItself,omitempty"`
}

// WhyHeld is nil where pushes may go.
func WhyHeld(s pacing.State) *Held {
	var reasons []string
	endsByItself := true
	for _, halt := range s.Halts {
		reasons = append(reasons, halt.Reason)
		endsByItself = endsByItself && halt.EndsByItself()
	}
	switch avoided := s.Avoids(); {
	case len(reasons) > 0:
		return &Held{By: HeldByHalt, Since: s.Halts[0].Since.UTC(), Reason: strings.Join(reasons, "; "), EndsByItself: endsByItself}
	case s.Gate.Closed(s.Now):
		return &Held{By: HeldByGate, Until: s.Gate.Until.UTC(), Reason: s.Gate.Reason}
	case !avoided.IsZero():
		return &Held{By: HeldByQuarterHour, Until: avoided.UTC()}
	}
	return nil
}

// heldBySilence is why a breaker admits nobody of a campaign; nil where it does, or where the campaign does not run.
func heldBySilence(state campaign.State, hold *breaker.Hold) *Held {
	if hold == nil || state != campaign.Running {
		return nil
	}
	return &Held{By: HeldBySilence, Since: hold.Since, Reason: hold.Reason, EndsByItself: true}
}
