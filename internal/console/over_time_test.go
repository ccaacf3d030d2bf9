package console

import (
	"strings"
	"testing"
)

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
