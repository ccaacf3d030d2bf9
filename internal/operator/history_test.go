package operator

import (
	"errors"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

func (f fixture) wantHistory(id string, want ...string) {
	f.Helper()
	h, err := f.History(f.Context(), id)
	ok(f.T, err)
	var got []string
	for _, e := range h.Entries {
		got = append(got, DescribeEntry(e))
	}
	if len(got) != len(want) {
		f.Fatalf("history %q, want %q", got, want)
	}
	for i := range want {
		equal(f.T, "entry", got[i], want[i])
	}
}

// What an operator does is recorded. A cancellation keeps what the breaker said.
func TestHistoryOfAnOperator(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42", campaign.Running)
	ok(t, f.PausePlatform(t.Context(), "42", "ios", "certificate"))
	ok(t, f.Start(t.Context(), "42", StartOptions{}))
	ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Paused, "22 of 22 answers are SENDER_ID_MISMATCH"))
	ok(t, f.Cancel(t.Context(), "42", "wrong project"))
	ok(t, f.NoteExport(t.Context(), "42", store.Filter{Status: notification.StatusFailed, Code: "UNAVAILABLE"}, 1))
	ok(t, f.NoteExport(t.Context(), "42", store.Filter{}, 2))
	f.wantHistory("42", "created", "started", "held: ios: certificate", "released: ios", "paused: 22 of 22 answers are SENDER_ID_MISMATCH",
		"cancelled: wrong project", "exported 1 outcome: status failed, code UNAVAILABLE", "exported 2 outcomes")
	_, err := f.History(t.Context(), "43")
	if !errors.Is(err, campaign.ErrNotFound) {
		t.Errorf("history of no campaign: %v", err)
	}
}

// SQL has entries that Redis has lost, and an outage of SQL hides none of those in Redis.
func TestHistoryFromBoth(t *testing.T) {
	t.Parallel()
	f := open(t)
	db := f.withRecords("sqlite:" + t.TempDir() + "/fanfare.db")
	f.create("42")
	h, err := f.History(t.Context(), "42")
	ok(t, err)
	old := notification.HistoryEntry{ID: "1000000000000-0", At: time.UnixMilli(1_000_000_000_000).UTC(), What: "deleted"}
	ok(t, db.AddHistory(t.Context(), "42", append(h.Entries, old)))
	ok(t, db.AddHistory(t.Context(), "gone", []notification.HistoryEntry{old}))
	f.wantHistory("42", "deleted", "created")
	f.wantHistory("gone", "deleted")
	ok(t, db.Close())
	h, err = f.History(t.Context(), "42")
	ok(t, err)
	equal(t, "entries without SQL", len(h.Entries), 1)
	equal(t, "a problem", h.Problem != nil, true)
	if _, err := f.History(t.Context(), "gone"); err == nil || errors.Is(err, campaign.ErrNotFound) {
		t.Errorf("history that only SQL may have: %v", err)
	}
}
