package console

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// A campaign that is older than the record in Redis draws its chart from SQL's minutes.
func TestChartOfAnOldCampaign(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	started := now.Add(-5 * 24 * time.Hour)
	for i := range f.system.views {
		if v := &f.system.views[i]; v.Spec.ID == "completed" {
			v.Spec.StartedAt, v.Spec.FinishedAt = started, started.Add(time.Hour)
		}
	}
	f.console.deps.Records = &fakeRecords{minutes: []store.Minute{
		{Start: started, Status: notification.StatusSent, N: 600}, {Start: started, Status: notification.StatusFailed, ErrorCode: "UNREGISTERED", N: 60},
		{Start: started.Add(2 * time.Minute), Status: notification.StatusSent, N: 6000},
	}}
	text := f.get("/campaigns/completed").text
	for _, want := range []string{"from SQL, UTC", `24 Nov 14:00:00</th><td class="num" data-v="10.00">10</td><td class="num" data-v="1.00">1</td>`, `data-v="100.00">100</td>`, `24 Nov 14:01:00</th><td class="num" data-v="0.00">0</td>`, "one value each minute"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page of an old campaign has no %s", want)
		}
	}
	if text := f.get("/campaigns/running").text; strings.Contains(text, "from SQL, UTC") || !strings.Contains(text, "p99, ms") {
		t.Error("a campaign of today does not show its pushes")
	}
}

// However long a campaign took, its table has at most so many lines, and no outcome is left out.
func TestOutcomesOverTimeAreFolded(t *testing.T) {
	t.Parallel()
	var minutes []store.Minute
	for i := range 1000 {
		minutes = append(minutes, store.Minute{Start: now.Add(time.Duration(i) * time.Minute), Status: notification.StatusSent, N: 60})
	}
	out := outcomesOverTime(minutes, now)
	if len(out.Rows) > slotsShown || len(out.Rows) < slotsShown/2 {
		t.Fatalf("%d minutes are %d lines", len(minutes), len(out.Rows))
	}
	for _, row := range out.Rows[1 : len(out.Rows)-1] {
		if row.Sent.Text != "1" {
			t.Errorf("at %s %s a second were sent, want 1", row.At, row.Sent.Text)
		}
	}
}
