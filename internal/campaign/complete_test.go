package campaign_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func completesWhenNoOneIsLeft(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	goesOn := func(why string) {
		t.Helper()
		wantEqual(t, "complete while "+why, f.complete("1"), false)
	}
	_, _, err := f.Complete(t.Context(), "1")
	f.refused("complete nobody", err, campaign.ErrNotFound)
	f.create("1", campaign.Draft)
	goesOn("a draft")
	f.move("1", campaign.Running)
	goesOn("nobody ever came")
	f.push("1", 4)
	goesOn("somebody waits")
	l := f.claim("1", 4)
	goesOn("somebody is leased")
	f.settle("1", queue.Settlement{Claim: l.Claim, Pos: 1, Status: "sent"},
		queue.Settlement{Claim: l.Claim, Pos: 2, Later: true},
		queue.Settlement{Claim: l.Claim, Pos: 3, Status: "failed"})
	goesOn("somebody is leased still")
	_, err = f.queue("1").GiveBack(t.Context(), l.Claim)
	f.ok(err)
	goesOn("somebody came back, and somebody is to be retried")
	f.drain("1")
	f.emit("1")
	goesOn("a result is in the outbox")
	f.ok(f.rdb.Del(t.Context(), f.key("1", keys.SuffixOutbox)).Err())
	f.move("1", campaign.Paused)
	goesOn("paused")
	f.move("1", campaign.Running)
	wantEqual(t, "complete", f.complete("1"), true)
	wantEqual(t, "state", f.get("1").State, campaign.Completed)
	wantEqual(t, "complete again", f.complete("1"), true)

	f.into("2", campaign.Cancelled)
	wantEqual(t, "complete the cancelled", f.complete("2"), false)
}

func endsAsExpired(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	now, err := f.rdb.Time(t.Context()).Result()
	f.ok(err)
	for _, c := range []struct {
		id       string
		deadline time.Time
		status   notification.Status
		want     campaign.State
	}{
		{"late", now.Add(-time.Second), notification.StatusExpired, campaign.Expired},
		{"late but served", now.Add(-time.Second), notification.StatusSent, campaign.Completed},
		{"in time", now.Add(time.Hour), notification.StatusExpired, campaign.Completed},
	} {
		f.into(c.id, campaign.Running)
		f.push(c.id, 2)
		f.end(c.id, f.claim(c.id, 2), c.status)
		f.hset(f.key(c.id, keys.SuffixCounts), "deadline", c.deadline.UnixMilli())
		wantEqual(t, c.id, f.complete(c.id), true)
		s := f.get(c.id)
		wantEqual(t, c.id, s.State, c.want)
		wantEqual(t, c.id+" has a reason", s.Reason != "", c.want == campaign.Expired)
	}
}

// The campaign's own deadline counts as the list's does, in every format.
func endsAsExpiredByItsOwnDeadline(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	now, err := f.rdb.Time(t.Context()).Result()
	f.ok(err)
	for deadline, want := range map[string]campaign.State{
		now.Add(-2 * time.Second).Format(time.RFC3339):           campaign.Expired,
		strconv.FormatInt(now.Add(-time.Second).UnixMilli(), 10): campaign.Expired,
		now.Add(time.Hour).Format(time.RFC3339):                  campaign.Completed,
		"soon":                                                   campaign.Completed, // no one can be sent to with such a spec, but it must end
	} {
		f.into(deadline, campaign.Running)
		f.push(deadline, 1)
		f.end(deadline, f.claim(deadline, 1), notification.StatusExpired)
		f.hset(f.key(deadline, keys.SuffixSpec), "deadline", deadline)
		wantEqual(t, deadline, f.complete(deadline), true)
		state, err := f.rdb.HGet(t.Context(), f.key(deadline, keys.SuffixSpec), "state").Result()
		f.ok(err)
		wantEqual(t, deadline, campaign.State(state), want)
	}
}

func keepsTheEndedForAWhile(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{Retention: time.Hour, ScanEvery: time.Nanosecond})
	kept := func(id string, want bool) {
		t.Helper()
		for _, key := range f.everyKey(b) {
			if !strings.Contains(key, id) {
				continue
			}
			if ttl := f.expiry(key); want && (ttl <= 0 || ttl > time.Hour) || !want && ttl != never {
				t.Errorf("%s expires in %s", key, ttl)
			}
		}
	}
	f.into("done", campaign.Running)
	f.push("done", 1)
	f.drain("done")
	wantEqual(t, "complete", f.complete("done"), true)
	kept("done", true)
	f.move("done", campaign.Running)
	kept("done", false)

	f.into("off", campaign.Running)
	f.push("off", 10)
	l := f.claim("off", 3)
	f.settle("off", queue.Settlement{Claim: l.Claim, Pos: 1, Later: true, Delay: time.Hour},
		queue.Settlement{Claim: l.Claim, Pos: 2, Status: "sent", Emit: []byte("result")})
	f.hset(f.key("off", keys.SuffixPace), "cursor", 1)
	f.hset(f.key("off", keys.SuffixBreaker), "round", 1)
	f.move("off", campaign.Cancelled)
	kept("off", true)
	wantEqual(t, "keys", len(f.everyKey(b))-len([]string{"registry", "done's spec", "done's counts", "done's history"}), 10)

	// What was in flight comes back later, into a key that the cancellation could not see.
	_, err := f.queue("off").GiveBack(t.Context(), l.Claim)
	f.ok(err)
	wantEqual(t, "expiry of back", f.expiry(f.key("off", keys.SuffixBack)), never)
	f.discover()
	kept("off", true)
	wantEqual(t, "who waits", f.books("off").CountOpen(), 9)

	f.push("theirs", 1)
	f.hset(f.key("theirs", keys.SuffixSpec), "message", "{}", "state", "cancelled")
	f.discover()
	kept("theirs", true)
}

// TestExpiryThatWasTakenOff finds a completed campaign whose spec has lost its expiry, and sets
// it again.
func TestExpiryThatWasTakenOff(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	f := openOn(t, rdb, rdb, campaign.Options{Retention: time.Hour, ScanEvery: time.Nanosecond})
	f.into("1", campaign.Completed)
	f.ok(rdb.Persist(t.Context(), f.key("1", keys.SuffixSpec)).Err())
	f.discover()
	if left := f.expiry(f.key("1", keys.SuffixSpec)); left <= 0 || left > time.Hour {
		t.Errorf("the spec expires in %s, want an hour", left)
	}
}

// keepsWhatRunsAgain removes the retention from all keys. A list with late recipients has none.
func keepsWhatRunsAgain(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Redis, b.Redis, campaign.Options{Retention: time.Hour, ScanEvery: time.Nanosecond})
	runAgain := map[string]func(id string){
		"moved":   func(id string) { f.move(id, campaign.Running) },
		"adopted": func(string) { f.discover() },
		"loaded":  func(id string) { f.load(id, true, 1) },
		"paused": func(id string) {
			f.hset(f.key(id, keys.SuffixSpec), "state", "paused")
			_, err := f.Adopt(t.Context(), id)
			f.ok(err)
			f.move(id, campaign.Running)
		},
	}
	for how, run := range runAgain {
		for _, expiry := range []time.Duration{0, 2 * time.Hour} {
			id := how + expiry.String()
			list := f.list(id).Plain()
			f.create(id, campaign.Running)
			f.push(id, 10)
			l := f.claim(id, 2)
			f.settle(id, queue.Settlement{Claim: l.Claim, Pos: 1, Later: true, Delay: time.Hour})
			_, err := f.queue(id).GiveBack(t.Context(), l.Claim)
			f.ok(err)
			f.emit(id)
			if expiry > 0 {
				f.ok(f.rdb.PExpire(t.Context(), list, expiry).Err())
			}
			f.move(id, campaign.Completed)
			for _, suffix := range []string{keys.SuffixSpec, keys.SuffixCounts, keys.SuffixBack, keys.SuffixRetry, keys.SuffixOutbox} {
				wantEqual(t, id+": "+suffix+" expires", f.expiry(f.key(id, suffix)) > 0, true)
			}
			wantEqual(t, id+": the list is under retention", expiry == 0 && f.expiry(list) > 0, false)
			run(id)
			for _, suffix := range []string{keys.SuffixSpec, keys.SuffixCounts, keys.SuffixBack, keys.SuffixRetry, keys.SuffixOutbox} {
				wantEqual(t, id+": expiry of "+suffix, f.expiry(f.key(id, suffix)), never)
			}
			left := f.expiry(list)
			switch {
			case how == "loaded": // a load gives its list an expiry
			case expiry == 0:
				wantEqual(t, id+": expiry of the list", left, never)
				wantEqual(t, id+": deadline", f.claim(id, 1).Deadline.IsZero(), true)
			case left < 365*24*time.Hour:
				t.Errorf("%s: the list expires in %s, want that it lives as long as the campaign", id, left)
			default:
				deadline := time.Until(f.books(id).Deadline)
				wantEqual(t, id+": deadline as its producer said", deadline > time.Hour && deadline <= expiry, true)
			}
		}
	}
}
