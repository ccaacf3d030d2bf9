package operator

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// stepsText are the steps of a report, a line each.
func stepsText(r *Report) string {
	var all []string
	for _, s := range r.Steps() {
		all = append(all, s.Why+" | "+s.Command)
	}
	return strings.Join(all, "\n")
}

// A report is of Redis, of SQL, or of both, and says of which.
func TestReport(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("41", campaign.Running, campaign.Paused)
	counts := map[string]any{"claimed": 5, "seen": 5, "ended:failed": 3, "ended:failed:UNAVAILABLE": 3, "ended:sent": 2}
	ok(t, f.rdb.HSet(t.Context(), "{campaign:41}:counts", counts).Err())
	read := func(id string) *Report {
		t.Helper()
		r, err := f.Report(t.Context(), id)
		ok(t, err)
		return r
	}
	r := read("41")
	equal(t, "sources", r.Sources(), "Redis alone: no database is configured")
	equal(t, "commands that need SQL", strings.Contains(stepsText(r), "--from"), false)

	db := f.withRecords("sqlite:"+t.TempDir()+"/fanfare.db", failedTo("u", 1), failedTo("v", 2))
	r = read("41")
	balance, balanced := r.Balance()
	equal(t, "sources", r.Sources(), "Redis and SQL")
	equal(t, "balance", balance, "The books balance; 3 outcomes not in SQL yet")
	equal(t, "balanced", balanced, true)
	loaded, terms := r.Loaded()
	equal(t, "loaded", loaded, 5)
	equal(t, "terms", fmt.Sprint(terms), "[{sent 2} {failed 3}]")

	history, err := f.deps.Campaigns.History(t.Context(), "41")
	ok(t, err)
	history[0].What, history[0].N = "loaded", 5
	ok(t, db.AddHistory(t.Context(), "41", history))
	ok(t, f.rdb.FlushAll(t.Context()).Err())
	r = read("41")
	balance, balanced = r.Balance()
	equal(t, "sources", r.Sources(), "SQL alone: Redis no longer has the campaign")
	equal(t, "balance", balance, "3 of 5 loaded have no outcome in SQL")
	equal(t, "balanced", balanced, false)
	equal(t, "steps", stepsText(r), "2 failed, UNAVAILABLE: FCM was unavailable for them | fanfare load NEW --from 41 --status failed --code UNAVAILABLE")
	start, end := r.Span()
	equal(t, "start", start, history[1].At)
	equal(t, "end", end, r.Minutes[0].Start.Add(60e9))
	if _, err := f.Report(t.Context(), "none"); !errors.Is(err, campaign.ErrNotFound) {
		t.Errorf("report on no campaign: %v", err)
	}
	ok(t, f.deps.Campaigns.Note(t.Context(), "gone", "", notification.HistoryEntry{What: "deleted"}))
	f.deps.Records = nil
	balance, _ = read("gone").Balance()
	equal(t, "balance of what has a history alone", balance, "What became of its recipients is not known")
}
