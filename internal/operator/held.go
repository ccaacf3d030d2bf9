package operator

import (
	"fmt"
	"slices"
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
	// HeldByProject holds one campaign: no dispatcher may take it, or none of its Firebase project runs.
	HeldByProject HeldBy = "project"
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

// projectPatience is how long a project's dispatchers may not have looked for campaigns, which each of them does every few seconds.
const projectPatience = 5 * time.Minute

// heldByProject is why no dispatcher takes a running campaign of one of several projects; nil where one may.
func heldByProject(spec campaign.Spec, known []campaign.Project, now time.Time) *Held {
	if spec.State != campaign.Running {
		return nil
	}
	if problem, advice := ProjectProblem(spec, known, now); problem != "" {
		return &Held{By: HeldByProject, Reason: problem + ": " + advice}
	}
	return nil
}

// ProjectProblem is why no dispatcher would take a campaign if it ran, and what to do; "" where one may.
func ProjectProblem(spec campaign.Spec, known []campaign.Project, now time.Time) (problem, advice string) {
	if len(known) < 2 {
		return "", ""
	}
	if spec.Project == "" {
		return "it names no Firebase project, and several send from this Redis", campaign.Unassigned(spec.ID, known)
	}
	var looking []string
	for _, p := range known {
		if now.Sub(p.SeenAt) < projectPatience {
			looking = append(looking, p.ID)
		}
	}
	if len(looking) == 0 || slices.Contains(looking, spec.Project) {
		return "", ""
	}
	return fmt.Sprintf("no dispatcher of its Firebase project %s runs, only of %s", spec.Project, strings.Join(looking, ", ")),
		fmt.Sprintf("start one, or give it to another with: fanfare campaign set %s --project PROJECT", campaign.Word(spec.ID))
}

// heldBySilence is why a breaker admits no one of a campaign; nil where it does, or where the campaign does not run.
func heldBySilence(state campaign.State, hold *breaker.Hold) *Held {
	if hold == nil || state != campaign.Running {
		return nil
	}
	return &Held{By: HeldBySilence, Since: hold.Since, Reason: hold.Reason, EndsByItself: true}
}
