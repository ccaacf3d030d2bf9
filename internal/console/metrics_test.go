package console

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
)

func TestMetricsShowRunningCampaigns(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	want := `
# HELP fanfare_campaign_canary 1 while a running campaign sends its canary alone, 0 once it has passed.
# TYPE fanfare_campaign_canary gauge
fanfare_campaign_canary{campaign="running"} 0
# HELP fanfare_campaign_held 1 for each reason why nothing of a campaign moves, by kind of reason.
# TYPE fanfare_campaign_held gauge
fanfare_campaign_held{campaign="low",reason="priority"} 1
# HELP fanfare_campaign_waiting Recipients of a running campaign that wait for their first push.
# TYPE fanfare_campaign_waiting gauge
fanfare_campaign_waiting{campaign="high"} 100
fanfare_campaign_waiting{campaign="low"} 400
fanfare_campaign_waiting{campaign="running"} 200
# HELP fanfare_campaign_since_start_seconds Time since the start of a running campaign, while recipients wait for their first push.
# TYPE fanfare_campaign_since_start_seconds gauge
fanfare_campaign_since_start_seconds{campaign="high"} 3600
fanfare_campaign_since_start_seconds{campaign="low"} 3600
fanfare_campaign_since_start_seconds{campaign="running"} 3600
# HELP fanfare_campaigns Campaigns in Redis, by state.
# TYPE fanfare_campaigns gauge
fanfare_campaigns{state="broken"} 1
fanfare_campaigns{state="cancelled"} 1
fanfare_campaigns{state="completed"} 1
fanfare_campaigns{state="draft"} 2
fanfare_campaigns{state="expired"} 1
fanfare_campaigns{state="paused"} 2
fanfare_campaigns{state="running"} 3
# HELP fanfare_replicas Running processes by role: dispatchers and responders.
# TYPE fanfare_replicas gauge
fanfare_replicas{role="dispatcher"} 1
fanfare_replicas{role="responder"} 1
# HELP fanfare_results_waiting Results that are not yet in SQL.
# TYPE fanfare_results_waiting gauge
fanfare_results_waiting 7
`
	names := []string{"fanfare_campaign_canary", "fanfare_campaign_held", "fanfare_campaign_waiting", "fanfare_campaign_since_start_seconds", "fanfare_campaigns", "fanfare_replicas", "fanfare_results_waiting"}
	if err := testutil.CollectAndCompare(f.console.Metrics(t.Context()), strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
	if problems, err := testutil.CollectAndLint(f.console.Metrics(t.Context())); err != nil || len(problems) > 0 {
		t.Errorf("names and help: %v %v", problems, err)
	}
}

// A campaign that has ended has no series, and old figures are not exported as new ones.
func TestMetricsEnd(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.mu.Lock()
	f.system.views = f.system.views[1:] // "running" is gone
	f.system.mu.Unlock()
	f.refresh()
	if n := testutil.CollectAndCount(f.console.Metrics(t.Context()), "fanfare_campaign_waiting"); n != 2 {
		t.Errorf("%d campaigns have series, want 2", n)
	}
	f.system.mu.Lock()
	f.system.err = errors.New("Redis is away")
	f.system.mu.Unlock()
	f.console.now = func() time.Time { return now.Add(staleAfter + time.Second) }
	f.refresh()
	if n := testutil.CollectAndCount(f.console.Metrics(t.Context())); n != 1 {
		t.Errorf("%d series while the figures are old, want their age alone", n)
	}
	if err := f.console.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "Redis is away") {
		t.Errorf("ready says %v", err)
	}
}

// However many campaigns run, the number of series is bounded.
func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	f.system.mu.Lock()
	one := f.system.views[0]
	for i := range maxCampaignSeries {
		next := one
		next.Spec.ID = "more" + strings.Repeat("x", i)
		f.system.views = append(f.system.views, next)
	}
	f.system.mu.Unlock()
	f.refresh()
	if n := testutil.CollectAndCount(f.console.Metrics(t.Context()), "fanfare_campaign_waiting"); n != maxCampaignSeries {
		t.Errorf("%d campaigns have series, want %d", n, maxCampaignSeries)
	}
	if err := testutil.CollectAndCompare(f.console.Metrics(t.Context()), strings.NewReader(`
# HELP fanfare_campaigns_omitted Running campaigns without series of their own, because there are too many.
# TYPE fanfare_campaigns_omitted gauge
fanfare_campaigns_omitted 3
`), "fanfare_campaigns_omitted"); err != nil {
		t.Error(err)
	}
}
