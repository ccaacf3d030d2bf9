package campaign_test

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/test/backends"
)

// The counts of a campaign may be too low. It ends when every recipient with a known outcome has
// ended.
func endsByOutcomesAlone(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	wantEqual(t, "complete without counts", f.complete("1"), false)
	f.hset(f.key("1", keys.SuffixCounts), "ended:sent", 2)
	wantEqual(t, "complete", f.complete("1"), true)
	wantEqual(t, "reason", f.get("1").Reason, "")
}

// A producer's deadline counts even if the campaign's own is later.
func endsAsExpiredByEitherDeadline(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "1", State: campaign.Running, Message: message, Deadline: time.Now().Add(time.Hour)}))
	f.push("1", 1)
	f.end("1", f.claim("1", 1), notification.StatusExpired)
	f.hset(f.key("1", keys.SuffixCounts), "deadline", time.Now().Add(-time.Minute).UnixMilli())
	wantEqual(t, "complete", f.complete("1"), true)
	wantEqual(t, "state", f.get("1").State, campaign.Expired)
}

// Discover reports a producer's deadline that has passed, but not an assumed one.
func tellsWhatIsOverdue(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for id, assumed := range map[string]int{"assumed": 1, "producer's": 0} {
		f.create(id, campaign.Running)
		f.load(id, false, 1)
		f.hset(f.key(id, keys.SuffixCounts), "deadline", time.Now().Add(-time.Minute).UnixMilli(), "assumed", assumed)
	}
	for _, s := range f.discover().Running {
		wantEqual(t, s.ID+": overdue", s.Overdue, s.ID == "producer's")
	}
}

// An application that resumes a campaign leaves the reason of its pause, and who paused it;
// adopting the campaign removes them.
func adoptsWithoutAReason(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.into("1", campaign.Running)
	f.push("1", 1)
	f.hset(f.key("1", keys.SuffixSpec), "reason", "paused by a breaker")
	f.discover()
	wantEqual(t, "reason", f.get("1").Reason, "")
	f.ok(f.Move(t.Context(), "1", campaign.Paused, ""))
	f.hset(f.key("1", keys.SuffixSpec), "state", "running")
	f.discover()
	wantEqual(t, "paused", f.get("1").PausedAt, time.Time{})
}

// Discover does not extend the expiry of counts, or of a key that lives longer than its campaign.
// Projects are forgotten after a day.
func looksPutNothingOff(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{Retention: time.Hour, ScanEvery: time.Nanosecond, Project: "p"})
	counts := f.key("vanished", keys.SuffixCounts)
	f.ok(f.rdb.SAdd(t.Context(), keys.Default().Registry(), "vanished").Err())
	f.hset(counts, "seen", 5, "claimed", 1, "ended:sent", 1)
	f.discover()
	wantEqual(t, "books of the vanished expire", f.expiry(counts) > time.Hour, true)
	f.ok(f.rdb.PExpire(t.Context(), counts, time.Hour).Err())

	breaker := f.key("off", keys.SuffixBreaker)
	f.into("off", campaign.Cancelled)
	f.hset(breaker, "round", 1)
	f.ok(f.rdb.PExpire(t.Context(), breaker, 5*time.Hour).Err())
	f.discover()
	for key, most := range map[string]time.Duration{counts: time.Hour, breaker: 5 * time.Hour, keys.Default().Projects(): 24 * time.Hour} {
		if off := most - f.expiry(key); off < 0 || off > patience {
			t.Errorf("%s expires in %s, want %s", key, f.expiry(key), most)
		}
	}
}

// A load that continues an appending one does not become the campaign's first load.
func keepsTheFirstLoader(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.load("1", false, 10)
	loader := func() string { return f.rdb.HGet(t.Context(), f.key("1", keys.SuffixCounts), "loader").Val() }
	first := loader()
	f.appendAll(f.loader("1", true), rows(0, 30))
	again := f.loader("1", true)
	f.appendAll(again, rows(0, 40))
	f.ok(again.Close(t.Context()))
	wantEqual(t, "passed over", again.CountSkipped(), 30)
	if got := loader(); got != first || strings.TrimSpace(got) == "" {
		t.Errorf("the loader became %q, want %q", got, first)
	}
}
