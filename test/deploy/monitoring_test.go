package deploy

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// metricName is a metric of ours. Those that Prometheus derives from a histogram belong to it.
var metricName = regexp.MustCompile(`\bfanfare_[a-z0-9_]+\b`)

func metricsIn(text string) []string {
	names := metricName.FindAllString(text, -1)
	for i := range names {
		names[i] = strings.TrimSuffix(names[i], "_bucket")
	}
	return names
}

// documentedMetrics are the metrics that docs/metrics.md explains. The tests of the running
// programs compare that page with what they export.
func documentedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	known := make(map[string]bool)
	for _, name := range metricsIn(read(t, "docs/metrics.md")) {
		known[name] = true
	}
	return known
}

// alertRules is what these tests read of a file of rules.
type alertRules struct {
	Groups []struct {
		Rules []struct {
			Alert, Expr string
			Annotations map[string]string
		}
	}
}

// TestAlertsFire runs the rules against series of their own, with Prometheus' tool.
func TestAlertsFire(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		command := exec.CommandContext(t.Context(), "promtool", args...)
		command.Dir = filepath.Join(top, "deploy/prometheus")
		if out, err := command.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// Every alert is of metrics that exist, has a test, and a runbook that can be opened.
func TestAlertsHaveRunbooks(t *testing.T) {
	t.Parallel()
	var rules alertRules
	if err := yaml.Unmarshal([]byte(read(t, "deploy/prometheus/alerts.yaml")), &rules); err != nil {
		t.Fatal(err)
	}
	known, page, tests := documentedMetrics(t), read(t, "docs/metrics.md"), read(t, "deploy/prometheus/alerts_test.yaml")
	if len(rules.Groups) != 1 || len(rules.Groups[0].Rules) == 0 {
		t.Fatalf("the rules are %+v", rules)
	}
	for _, rule := range rules.Groups[0].Rules {
		for _, name := range metricsIn(rule.Expr) {
			if !known[name] && !strings.HasPrefix(name, "fanfare_redis_") {
				t.Errorf("%s is about %s, which docs/metrics.md does not know", rule.Alert, name)
			}
		}
		if want := "docs/metrics.md#" + strings.ToLower(rule.Alert); rule.Annotations["runbook"] != want || !strings.Contains(page, "### "+rule.Alert+"\n") {
			t.Errorf("%s has the runbook %q, want %q", rule.Alert, rule.Annotations["runbook"], want)
		}
		if !strings.Contains(tests, "alertname: "+rule.Alert+"\n") {
			t.Errorf("no test has %s fire", rule.Alert)
		}
	}
}

// Every panel of the dashboard is of metrics that exist.
func TestDashboardShowsKnownMetrics(t *testing.T) {
	t.Parallel()
	var board struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "deploy/grafana/fanfare.json")), &board); err != nil {
		t.Fatal(err)
	}
	known := documentedMetrics(t)
	for _, panel := range board.Panels {
		shown := 0
		for _, target := range panel.Targets {
			for _, name := range metricsIn(target.Expr) {
				shown++
				if !known[name] && !strings.HasPrefix(name, "fanfare_redis_") {
					t.Errorf("%q shows %s, which docs/metrics.md does not know", panel.Title, name)
				}
			}
		}
		if shown == 0 {
			t.Errorf("%q shows nothing", panel.Title)
		}
	}
	if len(board.Panels) == 0 {
		t.Error("the dashboard is empty")
	}
}
