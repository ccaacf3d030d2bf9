package console

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
)

// A campaign that began long ago has two windows, and the address says which one is shown.
func TestChartsHaveTwoWindows(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Prefix: "/fanfare"})
	link := func(query, label string, current bool) string {
		mark := ""
		if current {
			mark = ` aria-current="true"`
		}
		return `<a href="/fanfare/campaigns/running` + query + `"` + mark + `>` + label + `</a>`
	}
	whole := f.get("/fanfare/campaigns/running?person=u1").text
	wantTexts(t, "the whole", whole, link("?person=u1&amp;window=30m", "Last 30 min", false), link("?person=u1", "Since the start", true), `data-v="120.0">120<`)
	recent := f.get("/fanfare/campaigns/running?window=30m").text
	wantTexts(t, "the last half hour", recent, link("?window=30m", "Last 30 min", true), link("", "Since the start", false), `data-v="7.0">7<`)
	for name, change := range map[string]func(*campaign.Spec){
		"began just now": func(s *campaign.Spec) { s.StartedAt = now.Add(-recentSpan) },
		"not started":    func(s *campaign.Spec) { s.State, s.StartedAt = campaign.Draft, time.Time{} },
		"ended long ago": func(s *campaign.Spec) { s.State, s.FinishedAt = campaign.Completed, now.Add(-recentSpan) },
	} {
		spec := campaign.Spec{State: campaign.Running, StartedAt: now.Add(-time.Hour)}
		change(&spec)
		if hasRecent(spec, now) {
			t.Errorf("%s: two windows", name)
		}
	}
}

// The table over time has a line for each slot, and no latency where no push was accepted.
func TestCampaignShowsItsTraffic(t *testing.T) {
	f := open(t, Options{})
	r := f.get("/campaigns/running")
	_, table, _ := strings.Cut(r.text, `id="series"`)
	table, _, _ = strings.Cut(table, "</table>")
	if n := strings.Count(table, "<tr data-key"); n != 3 {
		t.Fatalf("%d lines, want 3: %s", n, table)
	}
	for _, want := range []string{`data-v="120.0">120<`, `>13:59:20<`, `data-v="0.1">0.1<`, `data-v="">–<`} {
		if !strings.Contains(table, want) {
			t.Errorf("the table has no %s: %s", want, table)
		}
	}
}
