package operator

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/caps"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// sentTo are outcomes of campaign 41, of users u00000 and so on, two days before a moment.
func sentTo(n int, now time.Time) (all []notification.Result) {
	for i := range n {
		all = append(all, notification.Result{
			CampaignID: "41", UserID: fmt.Sprintf("u%05d", i), ResultID: fmt.Sprint(i), Status: notification.StatusSent, Attempts: 1, At: now.Add(-48 * time.Hour),
		})
	}
	return all
}

// A follow-up leaves out the suppressed and the capped, and outcomes that are too young.
func TestFollowUpLeavesOut(t *testing.T) {
	f := open(t)
	now := time.Now().UTC().Truncate(time.Second)
	results := sentTo(3000, now)
	for i := range 10 {
		results[2000+i].At = now.Add(-time.Hour)
	}
	f.withRecords("sqlite:"+t.TempDir()+"/fanfare.db", results...)
	limits, err := caps.Parse("2 in 2d")
	ok(t, err)
	f.deps.Caps = caps.New(f.rdb, keys.Default(), limits)
	for i := range 7 { // each has had two pushes; one of them is suppressed, too
		for n := range 2 {
			_, err := f.deps.Caps.Reserve(t.Context(), []caps.Element{{User: fmt.Sprintf("u%05d", 1000+i), Campaign: fmt.Sprint(n), ID: fmt.Sprint(i), Since: now}})
			ok(t, err)
		}
	}
	_, err = f.deps.Caps.Reserve(t.Context(), []caps.Element{{User: "u01500", Campaign: "1", ID: "1", Since: now}}) // has room
	ok(t, err)
	_, err = f.deps.Suppressed.Add(t.Context(), "u00003", "u00004", "u01000", "other")
	ok(t, err)

	filter := store.Filter{Status: notification.StatusSent, OlderThan: 24 * time.Hour, Until: now.Add(-24 * time.Hour)}
	summary, err := f.LoadFrom(t.Context(), "42", "41", filter, LoadOptions{Where: condition(t, `userId != "u00000"`)})
	ok(t, err)
	equal(t, "left out", summary.LeftOut, LeftOut{Filtered: 1, Suppressed: 3, Capped: 6})
	equal(t, "loaded", summary.Loaded, 3000-10-1-3-6)

	f.create("43")
	transactional := campaign.Transactional
	ok(t, f.deps.Campaigns.Change(t.Context(), "43", campaign.Change{Kind: &transactional}))
	summary, err = f.LoadFrom(t.Context(), "43", "41", filter, LoadOptions{})
	ok(t, err)
	equal(t, "left out of a transactional one", summary.LeftOut, LeftOut{Suppressed: 3})

	filter.Until = now.Add(-72 * time.Hour)
	_, err = f.LoadFrom(t.Context(), "44", "41", filter, LoadOptions{})
	mentions(t, err, "campaign 41 has no outcome with the status sent that is older than 24h0m0s in SQL: nothing was loaded")
}

// An interrupted follow-up continues behind the last user, although the users and the moment have
// changed meanwhile. Another one is refused.
func TestFollowUpIsGoneOnWith(t *testing.T) {
	f := open(t)
	now := time.Now().UTC().Truncate(time.Second)
	results := sentTo(10_000, now)
	db := f.withRecords("sqlite:"+t.TempDir()+"/fanfare.db", results...)
	ctx, interrupt := context.WithCancel(t.Context())
	filter := store.Filter{Status: notification.StatusSent, OlderThan: 24 * time.Hour, Until: now.Add(-24 * time.Hour)}
	_, err := f.LoadFrom(ctx, "42", "41", filter, LoadOptions{Progress: func(n int64) {
		if n == 3000 {
			interrupt()
		}
	}})
	if broken, is := errors.AsType[*InterruptedError](err); !is || broken.Done != 3000 {
		t.Fatalf("got %v", err)
	}
	_, err = f.deps.Suppressed.Add(t.Context(), "u00001", "u09999") // one of them is loaded already
	ok(t, err)
	late := sentTo(1, now)[0]
	late.UserID, late.ResultID, late.At = "u05000x", "late", now.Add(-23*time.Hour)
	ok(t, db.Apply(t.Context(), []notification.Result{late}))
	again := filter
	again.Until = now.Add(-22 * time.Hour) // an outcome is old enough now
	other := again
	other.OlderThan = time.Hour
	if _, err = f.LoadFrom(t.Context(), "42", "41", other, LoadOptions{}); !errors.Is(err, campaign.ErrAudienceExists) {
		t.Errorf("another follow-up: %v", err)
	}
	summary, err := f.LoadFrom(t.Context(), "42", "41", again, LoadOptions{})
	ok(t, err)
	equal(t, "passed", summary.Passed, 3000)
	equal(t, "loaded", summary.Loaded, 6999)
	equal(t, "left out", summary.LeftOut, LeftOut{Suppressed: 1})
	seen := make(map[string]bool)
	for _, element := range f.list("campaign:42") {
		seen[element] = true
	}
	equal(t, "different users", len(seen), 9999)
	equal(t, "elements", len(f.list("campaign:42")), 9999)
}

// A follow-up that was interrupted after its last user has nothing left to load.
func TestFollowUpThatWasOver(t *testing.T) {
	f := open(t)
	f.withRecords("sqlite:"+t.TempDir()+"/fanfare.db", sentTo(2000, time.Now())...)
	filter := store.Filter{Status: notification.StatusSent}
	ctx, interrupt := context.WithCancel(t.Context())
	_, err := f.LoadFrom(ctx, "42", "41", filter, LoadOptions{Progress: func(n int64) {
		if n == 2000 {
			interrupt()
		}
	}})
	if broken, is := errors.AsType[*InterruptedError](err); !is || broken.Done != 2000 {
		t.Fatalf("got %v", err)
	}
	summary, err := f.LoadFrom(t.Context(), "42", "41", filter, LoadOptions{})
	ok(t, err)
	equal(t, "passed", summary.Passed, 2000)
	equal(t, "loaded", summary.Loaded, 0)
	equal(t, "elements", len(f.list("campaign:42")), 2000)
}
