package operator

import (
	"os"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/warnings"
)

// What dispatchers report is a reason for the campaigns that they may take.
func TestWarningsAreReasons(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC)
	process := func(host, project string, all ...warnings.Current) fleet.Process {
		return fleet.Process{Role: fleet.Dispatcher, Host: host, Project: project, Warnings: all}
	}
	lookup := warnings.Current{Message: "token lookup failed; recipients deferred", Detail: "connection refused", Since: since, Count: 3}
	earlier := lookup
	earlier.Since, earlier.Count = since.Add(-time.Minute), 4
	v := View{Spec: campaign.Spec{ID: "42", State: campaign.Running, Project: "p"}, Books: campaign.Books{Loaded: 5, Waiting: 4, InFlight: 1}}
	reasons := Why(v, Surroundings{Fleet: []fleet.Process{
		process("a", "p", lookup, warnings.Current{Message: "other", Campaign: "7", Count: 99}),
		process("b", "p", earlier, warnings.Current{Message: "odd", Campaign: "42", Count: 2}, warnings.Current{Message: "breaker tripped", Campaign: "42", Count: 5}),
		process("c", "q", warnings.Current{Message: "elsewhere", Count: 99}),
		process("d", "p", warnings.Current{Message: "Redis write failed; retrying", Detail: "OOM command not allowed when used memory > 'maxmemory'.", Count: 1}),
	}})
	var got []string
	for _, r := range reasons {
		got = append(got, string(r.Kind)+": "+r.Headline+": "+r.Detail)
	}
	equal(t, "reasons", strings.Join(got, "\n"), strings.Join([]string{
		"lookups: Tokens cannot be looked up: connection refused (on a, b)",
		"warning: A process reports: odd: on b",
		"redis_writes: Redis is full: OOM command not allowed when used memory > 'maxmemory'. (on d)",
	}, "\n"))
	equal(t, "since", reasons[0].Since, earlier.Since)
}

// Responders say why results wait.
func TestWarningsOfResponders(t *testing.T) {
	t.Parallel()
	responder := fleet.Process{Role: fleet.Responder, Host: "a", Warnings: []warnings.Current{{Message: "result write failed; retrying", Detail: "refused", Count: 2}}}
	r := WhyResultsWait(Backlog{Results: 9}, []fleet.Process{responder})
	if r == nil || r.Kind != ReasonSQLWrites || r.People != 9 || r.Detail != "refused (on a)" {
		t.Errorf("reason %+v", r)
	}
	responder.Rate = 100
	if r := WhyResultsWait(Backlog{Results: 9}, []fleet.Process{responder}); r != nil {
		t.Errorf("a responder that writes: %+v, want no reason", r)
	}
}

// Each warning that has a plain name is one that a program logs.
func TestWarningsExist(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operations.md")
	ok(t, err)
	logged := func(message string) bool { return strings.Contains(string(page), "| `"+message+"` |") }
	for message, r := range warningReasons {
		if !logged(message) || r.Next == "" {
			t.Errorf("no program logs %q, or it has no next step", message)
		}
	}
	for message := range statedElsewhere {
		if !logged(message) {
			t.Errorf("no program logs %q", message)
		}
	}
}
