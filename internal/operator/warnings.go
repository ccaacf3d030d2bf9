package operator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/fleet"
	"fanfare/internal/warnings"
)

// warningReasons are the warnings of daemons that have a plain name and a next step.
var warningReasons = map[string]Reason{
	"FCM answers most pushes with an error": {
		Kind: ReasonFCMErrors, Headline: "FCM answers most pushes with an error", EndsByItself: true,
		Next: "nothing to do: they are sent again; check status.firebase.google.com if it lasts",
	},
	"FCM refuses most pushes for good": {
		Kind: ReasonFCMErrors, Headline: "FCM refuses most pushes for good", EndsByItself: true, Action: ActionInvestigate,
		Next: "see what it says of the code: fanfare dead list, and docs/tokens.md",
	},
	"token lookup failed; recipients deferred": {
		Kind: ReasonLookups, Headline: "Tokens cannot be looked up", EndsByItself: true, Next: "check the database: fanfare check",
	},
	"profile lookup failed; recipients deferred": {
		Kind: ReasonLookups, Headline: "Profiles cannot be looked up", EndsByItself: true, Next: "check the database: fanfare check",
	},
	"suppression lookup failed; recipients deferred": {
		Kind: ReasonLookups, Headline: "Suppressed users cannot be looked up", EndsByItself: true, Next: "check Redis, the key names.suppressed and the database: fanfare check",
	},
	"caps not checked; recipients deferred": {
		Kind: ReasonLookups, Headline: "The caps of users cannot be checked", EndsByItself: true, Next: "check Redis: fanfare check",
	},
	"Redis write failed; retrying": {
		Kind: ReasonRedisWrites, Headline: "Outcomes cannot be written to Redis", EndsByItself: true, Next: "check Redis and its memory: fanfare check",
	},
	"result write failed; retrying": {
		Kind: ReasonSQLWrites, Headline: "Results cannot be written to SQL", EndsByItself: true, Next: "check the database: fanfare check",
	},
	"writing halted; results stay in Redis, no restart needed": {
		Kind: ReasonSQLWrites, Headline: "Results cannot be written to SQL", Next: "repair what the error names; writing continues by itself",
	},
	"database is unusable; results stay in Redis until it recovers (see fanfare check)": {
		Kind: ReasonSQLWrites, Headline: "Results cannot be written to SQL", EndsByItself: true, Next: "check the database: fanfare check",
	},
	"FCM is unreachable; nothing is claimed until it recovers (see fanfare check)": {
		Kind: ReasonNoAnswers, Headline: "A dispatcher cannot reach FCM", EndsByItself: true, Next: "check the network: fanfare check",
	},
}

// statedElsewhere are warnings of what Redis holds as well: a hold, a halt, a closed gate, or a
// broken campaign. Why explains these from there.
var statedElsewhere = map[string]bool{
	"breaker tripped": true,
	"pushes get no answers; none are sent until FCM answers a probe": true,
	"probe not answered by FCM; halts and holds remain":              true,
	"credentials still refused; nothing is sent":                     true,
	"gate closed; sending paused":                                    true,
	"campaign is broken and not served; fix its spec":                true,
	"campaign paused; the database refuses a statement":              true,
}

// redisFull is how Redis refuses a write when its memory is full.
const redisFull = "OOM command not allowed"

// explainWarnings adds what fails in the dispatchers that may take the campaign.
func (w *why) explainWarnings() {
	able := slices.DeleteFunc(slices.Clone(w.Fleet), func(p fleet.Process) bool { return !p.CanServe(w.Spec.ID, w.Spec.Project) })
	concerns := func(c warnings.Current) bool { return c.Campaign == "" || c.Campaign == w.Spec.ID }
	for _, r := range groupWarnings(able, concerns) {
		w.add(r)
	}
}

// groupWarnings makes reasons of the warnings of processes, the most frequent first. What several
// processes report is one reason.
func groupWarnings(processes []fleet.Process, concerns func(warnings.Current) bool) []Reason {
	type group struct {
		warnings.Current

		hosts []string
	}
	groups := make(map[string]*group)
	for _, p := range processes {
		for _, c := range p.Warnings {
			if statedElsewhere[c.Message] || !concerns(c) {
				continue
			}
			g := groups[c.Message]
			if g == nil {
				g = &group{Current: c}
				g.Count = 0
				groups[c.Message] = g
			}
			g.Count += c.Count
			if c.Since.Before(g.Since) {
				g.Since = c.Since
			}
			if !slices.Contains(g.hosts, p.Host) {
				g.hosts = append(g.hosts, p.Host)
			}
		}
	}
	all := make([]*group, 0, len(groups))
	for _, g := range groups {
		all = append(all, g)
	}
	slices.SortFunc(all, func(a, b *group) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Message, b.Message)) })
	reasons := make([]Reason, len(all))
	for i, g := range all {
		reasons[i] = reasonOf(g.Current, describeHosts(g.hosts))
	}
	return reasons
}

// reasonOf explains one warning that comes from these hosts.
func reasonOf(c warnings.Current, hosts string) Reason {
	r, known := warningReasons[c.Message]
	if !known {
		r = Reason{Kind: ReasonWarning, Headline: "A process reports: " + c.Message, Action: ActionInvestigate, Next: "see its log, and docs/operations.md"}
	}
	if strings.Contains(c.Detail, redisFull) {
		r.Headline, r.Next = "Redis is full", "raise maxmemory, or delete finished campaigns: fanfare check"
	}
	r.Since, r.Detail = c.Since, hosts
	if c.Detail != "" {
		r.Detail = c.Detail + " (" + hosts + ")"
	}
	return r
}

// describeHosts names where a warning comes from.
func describeHosts(hosts []string) string {
	if more := len(hosts) - namedProcesses; more > 0 {
		return fmt.Sprintf("on %s and %d more", strings.Join(hosts[:namedProcesses], ", "), more)
	}
	return "on " + strings.Join(hosts, ", ")
}
