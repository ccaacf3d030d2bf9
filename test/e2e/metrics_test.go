package e2e

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// exported finds the names of our metrics in what a program serves, and in a page.
var (
	exported   = regexp.MustCompile(`(?m)^# TYPE (fanfare_[a-z0-9_]+) `)
	documented = regexp.MustCompile("`(fanfare_[a-z0-9_]+)`")
)

// unseen are metrics that a healthy installation does not export: they begin with the first fault.
var unseen = []string{
	"fanfare_campaign_canary",
	"fanfare_campaign_eta_seconds", "fanfare_campaign_held", "fanfare_cache_mistyped_total", "fanfare_dispatcher_broken_campaign",
	"fanfare_dispatcher_trips_total", "fanfare_responder_dead_letters_total", "fanfare_responder_faults_total",
}

// TestMetricsAreDocumented compares what the running programs export with docs/metrics.md, and has
// Prometheus' own tool check it.
func TestMetricsAreDocumented(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{
		Env: []string{"FANFARE_HTTP_DISPATCHER=127.0.0.1:0", "FANFARE_HTTP_RESPONDER=127.0.0.1:0"},
	})
	console := s.Start(nil, "fanfare", "console", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
	responder := s.Start(nil, "responder")
	s.Campaign("42", audience(20))
	s.Eventually("the console knows who waits", func() bool { return metric(t, console, `fanfare_campaign_waiting{campaign="42"}`) == 20 })
	found := make(map[string]bool)
	note := func(p *servers.Process) {
		_, text := ask(t, p, "/metrics")
		for _, match := range exported.FindAllStringSubmatch(text, -1) {
			found[match[1]] = true
		}
		checkMetrics(t, text)
	}
	note(console)
	dispatcher := s.Start(nil, "dispatcher")
	servers.AwaitSummary(t, db, "42", 20)
	note(dispatcher)
	note(responder)
	s.Eventually("an ended campaign has no series", func() bool {
		_, text := ask(t, console, "/metrics")
		return !strings.Contains(text, `campaign="42"`) && strings.Contains(text, `fanfare_campaigns{state="completed"} 1`)
	})

	page, err := os.ReadFile("../../docs/metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	explained := make(map[string]bool)
	for _, match := range documented.FindAllStringSubmatch(string(page), -1) {
		explained[match[1]] = true
		if !found[match[1]] && !slices.Contains(unseen, match[1]) {
			t.Errorf("docs/metrics.md explains %s, which no program exports", match[1])
		}
	}
	for name := range found {
		if !explained[name] && !strings.HasPrefix(name, "fanfare_redis_") {
			t.Errorf("docs/metrics.md does not explain %s", name)
		}
	}
	for _, p := range []*servers.Process{dispatcher, responder, console} {
		p.Signal(syscall.SIGTERM)
		p.ExpectExit(0)
	}
}

// checkMetrics has promtool read what a program serves.
func checkMetrics(t *testing.T, text string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "promtool", "check", "metrics")
	command.Stdin = strings.NewReader(text)
	if out, err := command.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
