package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/fleet"
	"fanfare/internal/warnings"
)

// Processes lists the running dispatchers and responders.
func (o *Operator) Processes(ctx context.Context) ([]fleet.Process, error) {
	return o.deps.Fleet.List(ctx)
}

// explainFleet adds that no process works on the campaign.
func (w *why) explainFleet() {
	if w.Fleet == nil || w.Books.CountOpen() == 0 || w.Hold != nil && w.Hold.Cause == CauseProject {
		return // unknown, nothing to do, or explained by its project
	}
	able := slices.DeleteFunc(slices.Clone(w.Fleet), func(p fleet.Process) bool { return !p.CanServe(w.Spec.ID, w.Spec.Project) })
	if len(able) > 0 {
		return
	}
	id := campaign.ShellQuote(w.Spec.ID)
	r := Reason{Kind: ReasonNoDispatcher, Headline: "No dispatcher is running", Action: ActionInvestigate, Next: "start one: dispatcher; or for this campaign alone: dispatcher --campaign " + id}
	if w.Spec.Project != "" {
		r.Headline += " for project " + w.Spec.Project
	}
	r.Detail = describeOthers(w.Fleet)
	w.stop(r)
}

// describeOthers says what the dispatchers that may not take a campaign do.
func describeOthers(all []fleet.Process) string {
	var does []string
	for _, p := range all {
		switch {
		case p.Role != fleet.Dispatcher:
		case p.Phase == fleet.Stopping:
			does = append(does, "that on "+p.Host+" is stopping")
		case p.Campaign != "":
			does = append(does, "that on "+p.Host+" serves campaign "+p.Campaign+" alone")
		default:
			does = append(does, "that on "+p.Host+" sends for project "+p.Project)
		}
	}
	if len(does) > namedProcesses {
		does = append(does[:namedProcesses], fmt.Sprintf("and %d more", len(does)-namedProcesses))
	}
	return strings.Join(does, ", ")
}

// namedProcesses limits the processes that one reason names.
const namedProcesses = 3

// WhyResultsWait returns why results do not reach SQL; nil if they do, or if none waits.
func WhyResultsWait(b Backlog, processes []fleet.Process) *Reason {
	if b.Results == 0 || processes == nil {
		return nil
	}
	responders := slices.DeleteFunc(slices.Clone(processes), func(p fleet.Process) bool { return p.Role != fleet.Responder })
	if len(responders) > 0 {
		// A warning counts as current for a while after its end. Who writes has none to tell.
		stuck := slices.DeleteFunc(slices.Clone(responders), func(p fleet.Process) bool { return p.Rate > 0 })
		reasons := groupWarnings(stuck, func(warnings.Current) bool { return true })
		if len(reasons) == 0 {
			return nil
		}
		reasons[0].People = b.Results
		return &reasons[0]
	}
	return &Reason{
		Kind: ReasonNoResponder, Headline: "No responder is running", Detail: count(b.Results, "result") + " not in SQL yet",
		People: b.Results, Action: ActionInvestigate, Next: "start one: responder",
	}
}

// probeProcesses says what is running. That nothing runs is no fault while nothing waits for it:
// Jobs come and go.
func (o *Operator) probeProcesses(ctx context.Context) (string, error) {
	all, err := o.deps.Fleet.List(ctx)
	if err != nil {
		return "", err
	}
	if absent := o.findAbsent(ctx, all); absent != nil {
		return "", absent
	}
	count := make(map[fleet.Role]int)
	for _, p := range all {
		count[p.Role]++
	}
	return describeCount(count[fleet.Dispatcher], fleet.Dispatcher) + ", " + describeCount(count[fleet.Responder], fleet.Responder), nil
}

// findAbsent returns a caution about the processes that campaigns or results wait for; nil if they
// wait for none. What cannot be read is no caution: other probes say so.
func (o *Operator) findAbsent(ctx context.Context, running []fleet.Process) error {
	var problems, advice []string
	if views, err := o.List(ctx); err == nil {
		for headline, ids := range findUnserved(views, running) {
			problems = append(problems, fmt.Sprintf("%s, and %s", headline, describeWaiting(ids)))
		}
	}
	slices.Sort(problems)
	if len(problems) > 0 {
		advice = append(advice, "start one: dispatcher")
	}
	if backlog, err := o.Backlog(ctx); err == nil {
		if r := WhyResultsWait(backlog, running); r != nil && r.Kind == ReasonNoResponder {
			problems, advice = append(problems, r.Headline+", and "+r.Detail), append(advice, r.Next)
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &checks.Caution{Problem: strings.Join(problems, "; "), Advice: strings.Join(advice, "; ")}
}

// findUnserved returns the running campaigns that no dispatcher may take, by what to say of it.
func findUnserved(views []View, running []fleet.Process) map[string][]string {
	found := make(map[string][]string)
	for _, v := range views {
		if v.Err != nil || v.Spec.State != campaign.Running {
			continue
		}
		v.Hold = nil // the processes say the same of its project, and are newer
		w := why{View: v, Surroundings: Surroundings{Fleet: running}}
		w.explainFleet()
		for _, r := range w.reasons {
			found[r.Headline] = append(found[r.Headline], campaign.ShellQuote(v.Spec.ID))
		}
	}
	return found
}

// describeWaiting names campaigns that wait.
func describeWaiting(ids []string) string {
	if len(ids) == 1 {
		return "campaign " + ids[0] + " waits"
	}
	named := strings.Join(ids[:min(len(ids), namedCampaigns)], ", ")
	if more := len(ids) - namedCampaigns; more > 0 {
		named += fmt.Sprintf(" and %d more", more)
	}
	return "campaigns " + named + " wait"
}

// describeCount formats how many processes of a role are running.
func describeCount(n int, role fleet.Role) string {
	switch n {
	case 0:
		return fmt.Sprintf("no %s is running", role)
	case 1:
		return fmt.Sprintf("1 %s is running", role)
	}
	return fmt.Sprintf("%d %ss are running", n, role)
}
