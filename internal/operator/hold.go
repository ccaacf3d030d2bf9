package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
)

// HoldCause says what stops a project's pushes.
type HoldCause string

// Ordered from what an operator must end to what ends soonest.
const (
	CauseHalt        HoldCause = "halt"
	CauseGate        HoldCause = "gate"
	CauseQuarterHour HoldCause = "quarter_hour"
	// CauseNoAnswers stops one campaign whose pushes get no answers from FCM.
	CauseNoAnswers HoldCause = "no_answers"
	// CauseProject stops one campaign that no dispatcher may take, or whose Firebase project has
	// no dispatcher.
	CauseProject HoldCause = "project"
)

// Hold says why a project, or one campaign, sends nothing at the moment.
type Hold struct {
	Cause  HoldCause `json:"by"`
	Since  time.Time `json:"since,omitzero"` // set for a halt and missing answers, whose end is unknown
	Until  time.Time `json:"until,omitzero"` // set for everything else, which ends then
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"author,omitempty"` // who halted the project first, or closed its gate
	// EndsByItself reports that FCM is probed, and that no one has to act once it answers.
	EndsByItself bool `json:"endsByItself,omitempty"`
}

// FindHold returns what stops a project; nil if pushes are allowed.
func FindHold(s pacing.State) *Hold {
	var reasons []string
	endsByItself := true
	for _, halt := range s.Halts {
		reasons = append(reasons, halt.Reason)
		endsByItself = endsByItself && halt.EndsByItself()
	}
	switch avoided := s.AvoidedUntil(); {
	case len(reasons) > 0:
		return &Hold{Cause: CauseHalt, Since: s.Halts[0].Since.UTC(), By: s.Halts[0].By, Reason: strings.Join(reasons, "; "), EndsByItself: endsByItself}
	case s.Gate.IsClosed(s.Now):
		return &Hold{Cause: CauseGate, Until: s.Gate.Until.UTC(), Reason: s.Gate.Reason, By: s.Gate.By}
	case !avoided.IsZero():
		return &Hold{Cause: CauseQuarterHour, Until: avoided.UTC()}
	}
	return nil
}

// Explain says the same as a Reason, without the recipients who wait.
func (h *Hold) Explain() Reason {
	r := Reason{Detail: h.Reason, By: h.By, Since: h.Since, Until: h.Until, Stops: true, EndsByItself: h.EndsByItself || !h.Until.IsZero()}
	switch h.Cause {
	case CauseHalt:
		h.explainHalt(&r)
	case CauseGate:
		h.explainGate(&r)
	case CauseQuarterHour:
		r.Kind, r.Headline, r.Next = ReasonQuarterHour, "A quarter hour is avoided", "nothing to do: it ends by itself"
	case CauseNoAnswers:
		r.Kind, r.Headline, r.Next = ReasonNoAnswers, "FCM gives no answers", "nothing to do: it resumes once FCM answers a probe"
	default:
		r.Kind, r.Headline, r.Action = ReasonUnassigned, "No dispatcher takes it", ActionInvestigate
	}
	return r
}

// explainGate distinguishes a gate that FCM asked for from one that a person closed for a while.
func (h *Hold) explainGate(r *Reason) {
	r.Kind, r.Headline, r.Next = ReasonGate, "The gate is closed", "nothing to do: it opens by itself"
	if h.Reason == "" && h.By != "" {
		r.Detail = "by " + h.By
	}
	if h.By == pacing.ByFCM {
		r.Next += "; if it closes again and again, lower pacing.per_minute to the project's quota"
	}
}

// explainHalt distinguishes a gate that was closed by hand, and halts that a probe ends.
func (h *Hold) explainHalt(r *Reason) {
	r.Kind, r.Headline, r.Action, r.Next = ReasonHalt, "The project is halted", ActionResumeProject, "fanfare project resume"
	if h.EndsByItself {
		r.Next = "nothing to do: it resumes when FCM answers a probe; or fanfare project resume"
	}
	by := ""
	if h.By != "" {
		by = "by " + h.By
	}
	if h.Reason == pacing.ClosedByHand {
		r.Headline, r.Detail, r.Action, r.Next = "The gate is closed by hand", by, ActionOpenGate, "fanfare quota open"
		return
	}
	r.Detail = strings.Join(slices.DeleteFunc([]string{h.Reason, by}, func(s string) bool { return s == "" }), ", ")
}

// projectPatience is how long a project counts as active after a dispatcher looked for campaigns,
// which each does every few seconds.
const projectPatience = 5 * time.Minute

// projectsAge is how old the known projects may be when a campaign is shown. A console shows many
// campaigns each second, and the list of projects takes a look at all campaigns.
const projectsAge = 2 * time.Second

// knownProjects are the projects as they were a moment ago.
type knownProjects struct {
	mu   sync.Mutex
	all  []campaign.Project
	read time.Time
}

// findKnownProjects reads the projects again once they are too old.
func (o *Operator) findKnownProjects(ctx context.Context) ([]campaign.Project, error) {
	k := &o.known
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := o.now(); now.Sub(k.read) > projectsAge {
		all, err := o.deps.Campaigns.Projects(ctx)
		if err != nil {
			return nil, err
		}
		k.all, k.read = all, now
	}
	return k.all, nil
}

// findProjectHold returns why no dispatcher takes a running campaign; nil if one may.
func findProjectHold(spec campaign.Spec, known []campaign.Project, now time.Time) *Hold {
	if spec.State != campaign.Running {
		return nil
	}
	if problem, advice := ProjectProblem(spec, known, now); problem != "" {
		return &Hold{Cause: CauseProject, Reason: problem + ": " + advice}
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
		return "it names no Firebase project, and several send from this Redis", campaign.ExplainUnassigned(spec.ID, known)
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

// findOutageHold returns why a breaker holds a campaign; nil if it does not, or if the campaign
// does not run.
func findOutageHold(state campaign.State, hold *breaker.Hold) *Hold {
	if hold == nil || state != campaign.Running {
		return nil
	}
	return &Hold{Cause: CauseNoAnswers, Since: hold.Since, Reason: hold.Reason, EndsByItself: true}
}
