package console

import (
	"context"
	"strings"
	"testing"
	"time"

	"fanfare/internal/checks"
	"fanfare/internal/fleet"
)

// Without any campaign the list says how to begin, and what was found.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.views, f.system.fleet = nil, []fleet.Process{{Role: fleet.Responder}}
	f.console.health = newHealthCheck(func(context.Context) []checks.Finding {
		return []checks.Finding{{Name: "Redis", Detail: "7.2.5"}, {Name: "SQL", Grade: checks.Failure, Detail: "refused", Advice: "start it"}}
	}, func() time.Time { return now })
	f.refresh()
	if text := f.get("/campaigns").text; !strings.Contains(text, "The first check is under way") || !strings.Contains(text, "<code>fanfare load 42 examples/audience.csv</code>") {
		t.Error("the page does not say how to begin")
	}
	f.console.health.refresh(t.Context())
	text := f.get("/campaigns").text
	for _, want := range []string{"1 check fails, see beside", "refused. start it", "No dispatcher is running.", `data-copy="dispatcher"`} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "No responder is running.") {
		t.Error("the page misses a responder that runs")
	}
}

// The card of the minute counts the fleet, in red where work waits for one.
func TestMinuteCardCountsTheFleet(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	if text := f.get("/dead").text; !strings.Contains(text, `<a class="minute" href="/quota"`) || !strings.Contains(text, `<span>Dispatchers</span><b class="tone ">1</b>`) {
		t.Error("the card does not count the dispatchers, or is no link")
	}
	f.system.fleet = []fleet.Process{}
	f.refresh()
	for _, want := range []string{`<span>Dispatchers</span><b class="tone is-broken">0</b>`, `<span>Responders</span><b class="tone is-broken">0</b>`} {
		if text := f.get("/dead").text; !strings.Contains(text, want) {
			t.Errorf("the card does not say %s", want)
		}
	}
}
