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

// HeldBy says what stops a project's pushes.
type HeldBy string

// Ordered from what an operator must end to what ends soonest.
const (
	HeldByHalt        HeldBy = "halt"
	HeldByGate        HeldBy = "gate"
	HeldByQuarterHour HeldBy = "quarter_hour"
	// HeldBySilence stops one campaign whose pushes get no answers from FCM.
	HeldBySilence HeldBy = "no_answers"
	// HeldByProject stops one campaign that no dispatcher may take, or whose Firebase project has
	// no dispatcher.
	HeldByProject HeldBy = "project"
)

// Held says why a project, or one campaign, sends nothing at the moment.
type Held struct {
	By     HeldBy    `json:"by"`
	Since  time.Time `json:"since,omitzero"` // set for a halt and missing answers, whose end is unknown
	Until  time.Time `json:"until,omitzero"` // set for everything else, which ends then
	Reason string    `json:"reason,omitempty"`
	// EndsByItself reports that FCM is probed, and that no one has to act once it answers.
	EndsByItself bool `json:"endsByItself,omitempty"`
}

// WhyHeld returns nil if pushes are allowed.
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

// projectPatience is how long a project counts as active after a dispatcher looked for campaigns,
// which each does every few seconds.
const projectPatience = 5 * time.Minute

// heldByProject returns why no dispatcher takes a running campaign; nil if one may.
func heldByProject(spec campaign.Spec, known []campaign.Project, now time.Time) *Held {
	if spec.State != campaign.Running {
		return nil
	}
	if problem, advice := ProjectProblem(spec, known, now); problem != "" {
		return &Held{By: HeldByProject, Reason: problem + ": " + advice}
	}
	return nil
}

// ProjectProblem says why no dispatcher would take the campaign if it ran, and what to do; "" if
// one may.
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
		fmt.Sprintf("start one, or give it to another with: fanfare campaign set %s --project PROJECT", campaign.ShellQuote(spec.ID))
}

// heldBySilence returns why a breaker holds a campaign; nil if it does not, or if the campaign
// does not run.
func heldBySilence(state campaign.State, hold *breaker.Hold) *Held {
	if hold == nil || state != campaign.Running {
		return nil
	}
	return &Held{By: HeldBySilence, Since: hold.Since, Reason: hold.Reason, EndsByItself: true}
}
