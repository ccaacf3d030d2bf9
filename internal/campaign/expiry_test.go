package campaign_test

import (
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// forGood is less than the TTL of a list that has a campaign.
const forGood = 5 * 365 * 24 * time.Hour

// wantGuarded checks that a list outlives the hour that its producer gave it, and that this hour
// is its deadline.
func (f fixture) wantGuarded(what, id string, atLeast time.Duration) {
	f.Helper()
	if left := f.expiry(f.list(id).Plain()); left < atLeast {
		f.Errorf("%s: the list expires in %s, want %s at least", what, left, atLeast)
	}
	b := f.books(id)
	if off := time.Until(b.Deadline) - time.Hour; off.Abs() > patience {
		f.Errorf("%s: the deadline is %s from the producer's", what, off)
	}
	wantEqual(f, what+": loaded", b.Loaded, 10)
}

// The first process that sees an application's list guards it, in every state of the campaign.
// Recipients that vanish later are missing.
func guardsBeforeTheFirstClaim(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	looks := map[string]func(id string){
		"discovered": func(string) { f.discover() },
		"listed": func(string) {
			_, err := f.List(t.Context())
			f.ok(err)
		},
		"shown": func(id string) { f.ok(f.Guard(t.Context(), id)) },
	}
	specs := map[string]func(id string){
		"without a spec": func(string) {},
		"draft":          func(id string) { f.into(id, campaign.Draft) },
		"running":        func(id string) { f.into(id, campaign.Running) },
		"paused":         func(id string) { f.into(id, campaign.Paused) },
		"mute":           func(id string) { f.hset(f.key(id, keys.SuffixSpec), "state", "running") },
		"broken":         func(id string) { f.hset(f.key(id, keys.SuffixSpec), "state", "flying", "message", "{}") },
	}
	for how, look := range looks {
		for spec, write := range specs {
			id := how + " " + spec
			write(id)
			f.push(id, 10)
			f.ok(f.rdb.PExpire(t.Context(), f.list(id).Plain(), time.Hour).Err())
			look(id)
			atLeast := forGood
			if spec == "without a spec" {
				atLeast = queue.DefaultLinger
			}
			f.wantGuarded(id, id, atLeast)

			f.ok(f.rdb.Del(t.Context(), f.list(id).Plain()).Err())
			look(id)
			wantEqual(t, id+": missing", f.books(id).Missing, 10)
		}
	}
	// All but three that were only shown: two before they were created, and one that never was.
	vanished := f.discover().Vanished
	wantEqual(t, "campaigns of which recipients vanished", len(vanished), len(looks)*len(specs)-3)
	for id, n := range vanished {
		wantEqual(t, id+": vanished", n, 10)
	}
}

// Creating, starting and pausing a campaign guards its list too, because there may be no
// dispatcher.
func guardsForAsLongAsTheCampaign(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.push("1", 10)
	f.ok(f.rdb.PExpire(t.Context(), f.list("1").Plain(), time.Hour).Err())
	f.ok(f.Guard(t.Context(), "1"))
	f.wantGuarded("without a spec", "1", queue.DefaultLinger)
	f.create("1", campaign.Draft)
	f.wantGuarded("created", "1", forGood)
	for _, state := range []campaign.State{campaign.Running, campaign.Paused} {
		f.ok(f.rdb.PExpire(t.Context(), f.list("1").Plain(), time.Hour).Err())
		f.move("1", state)
		f.wantGuarded(string(state), "1", forGood)
	}
	// The recipients of a cancelled campaign expire with it.
	f.move("1", campaign.Cancelled)
	if left := f.expiry(f.list("1").Plain()); left > campaign.DefaultRetention {
		t.Errorf("the list of a cancelled campaign lives for %s", left)
	}
	// Late recipients are not under retention.
	f.into("2", campaign.Completed)
	f.push("2", 10)
	f.discover()
	wantEqual(t, "expiry of a list that was written late", f.expiry(f.list("2").Plain()), never)
}

// The deadline of a load is assumed. The campaign's own goes before it, and the list lives as
// long as its campaign.
func guardsWhatWasLoaded(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{DefaultTTL: time.Hour, ScanEvery: time.Nanosecond})
	f.load("1", false, 10)
	f.wantGuarded("loaded", "1", queue.DefaultLinger)
	f.create("1", campaign.Running)
	f.wantGuarded("created", "1", forGood)
	far := time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	books := f.books("1")
	wantEqual(t, "assumed", books.Assumed, true)
	wantEqual(t, "deadline of a campaign with its own", books.ListDeadline(far), time.Time{})
	wantEqual(t, "assumed in a lease", f.claim("1", 1).Assumed, true)
	f.load("1", true, 1)
	if left := f.expiry(f.list("1").Plain()); left < forGood {
		t.Errorf("after another load the list expires in %s", left)
	}

	// An expiry that the producer set is a deadline, and counts beside the campaign's own.
	f.ok(f.rdb.PExpire(t.Context(), f.list("1").Plain(), time.Minute).Err())
	f.discover()
	books = f.books("1")
	wantEqual(t, "assumed", books.Assumed, false)
	wantEqual(t, "in a lease", f.claim("1", 1).Assumed, false)
	wantEqual(t, "deadline", books.ListDeadline(far), books.Deadline)
}

// An assumed deadline that has passed does not expire a campaign with a later one.
func assumedDeadlineGivesWay(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for id, want := range map[string]campaign.State{"own": campaign.Completed, "none": campaign.Expired} {
		s := campaign.Spec{ID: id, State: campaign.Running, Message: message}
		if id == "own" {
			s.Deadline = time.Now().Add(time.Hour)
		}
		f.ok(f.Create(t.Context(), s))
		f.load(id, false, 1)
		f.hset(f.key(id, keys.SuffixCounts), "deadline", time.Now().Add(-time.Minute).UnixMilli())
		l, err := f.queue(id).Claim(t.Context(), queue.NewID(), 1)
		f.ok(err)
		f.end(id, l, notification.StatusExpired)
		wantEqual(t, id+": complete", f.complete(id), true)
		wantEqual(t, id, f.get(id).State, want)
	}
}

// Without its counts, a guarded list still has its deadline: it follows from the list's expiry.
func guardsWithoutTheCounts(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Draft)
	f.push("1", 10)
	f.ok(f.rdb.PExpire(t.Context(), f.list("1").Plain(), time.Hour).Err())
	f.discover()
	f.wantGuarded("at first", "1", forGood)
	f.ok(f.rdb.Del(t.Context(), f.key("1", keys.SuffixCounts)).Err())
	f.discover()
	f.wantGuarded("without its counts", "1", forGood)

	// A deadline that has passed is reported too, however often the counts are lost.
	const ago = 30 * 24 * time.Hour
	f.ok(f.rdb.PExpire(t.Context(), f.list("1").Plain(), queue.GuardTTL-ago).Err())
	for range 2 {
		f.ok(f.rdb.Del(t.Context(), f.key("1", keys.SuffixCounts)).Err())
		f.discover()
		if off := time.Until(f.books("1").Deadline) + ago; off.Abs() > patience {
			t.Errorf("the deadline that has passed is %s off", off)
		}
	}
}

// The list of a campaign that is gone with its counts is kept like one without a campaign. Its
// deadline is the one that its producer set.
func guardsWithoutTheCampaign(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for deadline, keep := range map[time.Duration]time.Duration{
		time.Hour:             time.Hour + queue.DefaultLinger,
		-30 * 24 * time.Hour:  queue.DefaultLinger,
		300 * 24 * time.Hour:  300*24*time.Hour + queue.DefaultLinger,
		-300 * 24 * time.Hour: queue.DefaultLinger,
	} {
		id := deadline.String()
		f.push(id, 10)
		f.ok(f.rdb.PExpire(t.Context(), f.list(id).Plain(), queue.GuardTTL+deadline).Err())
		for _, look := range []string{"first", "second"} {
			f.discover()
			if off := time.Until(f.books(id).Deadline) - deadline; off.Abs() > patience {
				t.Errorf("%s look, deadline in %s: it is %s off", look, id, off)
			}
			if off := f.expiry(f.list(id).Plain()) - keep; off.Abs() > patience {
				t.Errorf("%s look, deadline in %s: the expiry is %s off", look, id, off)
			}
		}
	}
	// With a campaign, it is kept without an end again.
	f.create(time.Hour.String(), campaign.Draft)
	f.wantGuarded("with a campaign", time.Hour.String(), forGood)
}
