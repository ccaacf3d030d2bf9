package operator

import (
	"errors"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
)

// A deadline that has passed is refused everywhere, because the whole audience would expire
// silently.
func TestPassedDeadlinesAreRefused(t *testing.T) {
	f := open(t)
	ctx := t.Context()
	yesterday, tomorrow := time.Now().Add(-24*time.Hour), time.Now().Add(24*time.Hour)
	err := f.Create(ctx, campaign.Spec{ID: "42", Message: []byte(plainMessage), Deadline: yesterday})
	mentions(t, err, "deadline", "which has passed")
	equal(t, "specs", f.rdb.Exists(ctx, "{campaign:42}:spec").Val(), 0)

	ok(t, f.Create(ctx, campaign.Spec{ID: "42", Message: []byte(plainMessage), Deadline: tomorrow}))
	mentions(t, f.Change(ctx, "42", campaign.Change{Deadline: &yesterday}), "which has passed")
	ok(t, f.Change(ctx, "42", campaign.Change{Deadline: new(time.Time)}))

	// It has passed since, or an application wrote it.
	ok(t, f.rdb.HSet(ctx, "{campaign:42}:spec", "deadline", yesterday.UnixMilli()).Err())
	_, passed := errors.AsType[*PassedError](f.Start(ctx, "42", StartOptions{Reason: ""}))
	equal(t, "refused to start", passed, true)
	equal(t, "state", f.state("42"), campaign.Draft)

	// So does one that only follows from the load, until the campaign has its own.
	f.create("43")
	f.load("43", audienceOf(2), LoadOptions{Format: audience.CSV})
	ok(t, f.rdb.HSet(ctx, "{campaign:43}:counts", "deadline", yesterday.UnixMilli()).Err())
	_, passed = errors.AsType[*PassedError](f.Start(ctx, "43", StartOptions{}))
	equal(t, "refused to start long after the load", passed, true)
	ok(t, f.Change(ctx, "43", campaign.Change{Deadline: &tomorrow}))
	ok(t, f.Start(ctx, "43", StartOptions{}))

	// Resuming lets the rest be recorded as expired.
	ok(t, f.deps.Campaigns.Move(ctx, "42", campaign.Running, ""))
	ok(t, f.deps.Campaigns.Move(ctx, "42", campaign.Paused, ""))
	ok(t, f.Start(ctx, "42", StartOptions{Reason: ""}))
}

// The expiry of a list counts before the first claim. An assumed deadline gives way to the
// campaign's own. A deadline has passed at the moment itself. One that a producer set does not
// prevent a start, because no other could replace it.
func TestDeadlinesThatHaveJustPassed(t *testing.T) {
	f := open(t)
	spec := campaign.Spec{ID: "42", Message: []byte(plainMessage), Deadline: time.Now().Add(-time.Second)}
	mentions(t, f.Create(t.Context(), spec), "which has passed")
	f.create("42")
	mentions(t, f.Change(t.Context(), "42", campaign.Change{Deadline: new(time.Now().Add(-time.Second))}), "which has passed")

	ok(t, f.rdb.RPush(t.Context(), "campaign:42", `{"userId":"u1"}`).Err())
	ok(t, f.rdb.PExpire(t.Context(), "campaign:42", time.Hour).Err())
	f.show("42")
	ok(t, f.rdb.HSet(t.Context(), "{campaign:42}:counts", "deadline", time.Now().Add(-time.Minute).UnixMilli()).Err())
	equal(t, "assumed", f.show("42").Books.Assumed, false)
	ok(t, f.Start(t.Context(), "42", StartOptions{}))
}

func TestTheListsExpiryIsADeadline(t *testing.T) {
	f := open(t)
	f.create("42")
	equal(t, "of an empty campaign", f.show("42").Deadline(), time.Time{})
	f.load("42", audienceOf(2), LoadOptions{Format: audience.CSV})
	if left := time.Until(f.show("42").Deadline()); left < 23*time.Hour || left > campaign.DefaultTTL {
		t.Errorf("%s are left of a day", left)
	}
	later := time.Now().AddDate(5, 0, 0).UTC().Truncate(time.Millisecond)
	ok(t, f.Change(t.Context(), "42", campaign.Change{Deadline: &later}))
	equal(t, "its own goes before what a load assumes", f.show("42").Deadline(), later)
	soon := time.Now().Add(time.Hour).UTC().Truncate(time.Millisecond)
	ok(t, f.Change(t.Context(), "42", campaign.Change{Deadline: &soon}))
	equal(t, "the earlier one", f.show("42").Deadline(), soon)
	ok(t, f.rdb.Expire(t.Context(), "campaign:42", time.Minute).Err())
	if left := time.Until(f.show("42").Deadline()); left > time.Minute {
		t.Errorf("%s are left, want what the list's producer has said since", left)
	}
}
