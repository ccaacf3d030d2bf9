package operator

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/campaign"
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

// probeProcesses says what is running. That nothing runs is no fault: Jobs come and go.
func (o *Operator) probeProcesses(ctx context.Context) (string, error) {
	all, err := o.deps.Fleet.List(ctx)
	if err != nil {
		return "", err
	}
	count := make(map[fleet.Role]int)
	for _, p := range all {
		count[p.Role]++
	}
	return describeCount(count[fleet.Dispatcher], fleet.Dispatcher) + ", " + describeCount(count[fleet.Responder], fleet.Responder), nil
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
