package queue_test

import (
	"testing"
	"time"

	"fanfare/internal/queue"
)

// guardMovesUp claims from a list that was guarded for a shorter time: the deadline stays what its producer said.
func guardMovesUp(t *testing.T, b *backend) {
	const far = 3650 * 24 * time.Hour
	f := open(t, b, queue.Options{Linger: time.Hour})
	longer := openOn(t, b.rdb, b.rdb, f.id, queue.Options{Linger: far})
	f.push("a", "b", "c")
	f.rdb.Expire(t.Context(), f.list.Plain(), time.Minute)
	first := f.claim(1)
	wantNear := func(what string, got, want time.Duration) {
		t.Helper()
		if d := got - want; d.Abs() > 5*time.Second {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	wantNear("expiry", f.rdb.PTTL(t.Context(), f.list.Plain()).Val(), time.Minute+time.Hour)
	second := longer.claim(1)
	wantEqual(t, "deadline", second.Deadline, first.Deadline)
	wantNear("expiry when guarded for longer", f.rdb.PTTL(t.Context(), f.list.Plain()).Val(), time.Minute+far)
	third := f.claim(1) // the shorter guard does not take it back
	wantEqual(t, "deadline", third.Deadline, first.Deadline)
	wantEqual(t, "assumed", third.Assumed, false)
}

// seesWhatVanishes counts who was in the list once.
func seesWhatVanishes(t *testing.T, b *backend) {
	f := open(t, b, queue.Options{})
	f.push(numbered("u", 10)...)
	f.claim(3)
	wantEqual(t, "seen", f.counts().Seen, 10)
	f.push(numbered("v", 5)...)
	f.claim(1)
	wantEqual(t, "seen with those who came later", f.counts().Seen, 15)
	f.rdb.Del(t.Context(), f.list.Plain())
	f.claim(1)
	wantEqual(t, "seen after the list was deleted", f.counts().Seen, 15)
	f.append("load", 0, 0, "x", "y")
	wantEqual(t, "seen after a load", f.counts().Seen, 17)
}

// countsWhatLeasesHold does not count who was in a lease that somebody has deleted.
func countsWhatLeasesHold(t *testing.T, b *backend) {
	f := open(t, b, queue.Options{})
	f.push(numbered("u", 10)...)
	l := f.claim(4)
	f.settle(endAll(f.claim(3))[:2]...)
	wantEqual(t, "in flight", f.counts().InFlight, 5)
	f.rdb.Del(t.Context(), f.list.Lease(l.Claim))
	c, err := f.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "in flight without the lease", c.InFlight, 1)
	f.expire(l.Claim)
	wantEqual(t, "reaped of the lease", f.reap(), 0)
}
