package queue_test

import (
	"fmt"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// guardMovesUp guards one list for two lengths of time in turn. The deadline stays what the
// producer said, and the shorter guard changes nothing.
func guardMovesUp(t *testing.T, b *backends.Backend) {
	for _, far := range []time.Duration{2 * time.Hour, queue.GuardTTL} {
		f := open(t, b, queue.Options{Linger: time.Hour})
		longer := openOn(t, b.Redis, b.Redis, f.id, queue.Options{Linger: far})
		f.push(numbered("u", 9)...)
		f.rdb.Expire(t.Context(), f.list.Plain(), time.Minute)
		first := f.claim(1)
		for turn, c := range []struct {
			by   fixture
			kept time.Duration
		}{{f, time.Hour}, {longer, far}, {f, far}, {f, far}, {longer, far}, {f, far}} {
			l := c.by.claim(1)
			wantEqual(t, fmt.Sprint("deadline at turn ", turn), l.Deadline, first.Deadline)
			wantEqual(t, "assumed", l.Assumed, false)
			if d := f.rdb.PTTL(t.Context(), f.list.Plain()).Val() - time.Minute - c.kept; d.Abs() > 5*time.Second {
				t.Errorf("turn %d: the expiry is %s from %s beyond the deadline", turn, d, c.kept)
			}
		}
	}
}

// seesWhatVanishes checks that Seen counts elements that are gone.
func seesWhatVanishes(t *testing.T, b *backends.Backend) {
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

// countsWhatLeasesHold checks that elements of a deleted lease are not counted.
func countsWhatLeasesHold(t *testing.T, b *backends.Backend) {
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

// expiryBecomesDeadline follows the life of a list whose producer sets an expiry.
func expiryBecomesDeadline(t *testing.T, b *backends.Backend) {
	const linger = 48 * time.Hour
	f := open(t, b, queue.Options{Linger: linger})
	plain := f.list.Plain()
	near := func(what string, got, want time.Time) {
		t.Helper()
		if d := got.Sub(want).Abs(); d > 5*time.Second {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	f.push("a", "b", "c", "d")
	f.rdb.Expire(t.Context(), plain, time.Hour)

	l := f.claim(1)
	near("deadline", l.Deadline, l.Now.Add(time.Hour))
	near("the list's own expiry", l.Now.Add(f.rdb.PTTL(t.Context(), plain).Val()), l.Now.Add(time.Hour+linger))
	noted := l.Deadline
	l = f.claim(1)
	wantEqual(t, "deadline at the next claim", l.Deadline, noted)
	wantEqual(t, "deadline in a repeated claim", f.claimAs(l.Claim, 1).Deadline, noted)
	wantEqual(t, "deadline in the books", f.counts().Deadline, noted)

	f.rdb.Expire(t.Context(), plain, 2*time.Hour)
	l = f.claim(1)
	near("deadline after the producer moved it", l.Deadline, l.Now.Add(2*time.Hour))
	noted = l.Deadline

	f.claim(5)
	wantEqual(t, "exists when empty", f.rdb.Exists(t.Context(), plain).Val(), 0)
	wantEqual(t, "deadline when the list is empty", f.claim(1).Deadline, noted)

	// A new list has no deadline until it is given an expiry. This holds for retries from the old
	// list too.
	f.settle(queue.Settlement{Claim: l.Claim, Pos: 1, Later: true})
	f.fallDue()
	f.push("e", "f", "g")
	retried := f.claim(1)
	wantList(t, "retried", raws(retried), []string{"c"})
	wantEqual(t, "deadline of a retry beside a new list without an expiry", retried.Deadline.IsZero(), true)
	wantEqual(t, "deadline of a new list without an expiry", f.claim(1).Deadline.IsZero(), true)
	wantEqual(t, "deadline in the books", f.counts().Deadline.IsZero(), true)
	f.rdb.Expire(t.Context(), plain, time.Hour)
	l = f.claim(1)
	near("deadline of a new list that was given an expiry", l.Deadline, l.Now.Add(time.Hour))

	// The deadline passes. It does not apply to the next audience.
	f.rdb.Del(t.Context(), plain)
	f.rdb.HSet(t.Context(), f.list.Key(keys.SuffixCounts), "deadline", l.Now.Add(-time.Minute).UnixMilli())
	l = f.claim(1)
	if !l.Deadline.Before(l.Now) || l.Deadline.IsZero() {
		t.Errorf("deadline %s of an empty list, want the one that has passed", l.Deadline)
	}
	f.push("g")
	wantEqual(t, "a new audience without an expiry has no deadline", f.claim(1).Deadline.IsZero(), true)
	f.push("h", "i")
	f.rdb.Expire(t.Context(), plain, time.Minute)
	l = f.claim(1)
	near("deadline of a new audience", l.Deadline, l.Now.Add(time.Minute))

	f.append("load", 0, 3*time.Hour, "j")
	l = f.claim(1)
	near("deadline after an append with an expiry", l.Deadline, l.Now.Add(3*time.Hour))
}

// The books say when the last of all leases ends.
func TestCountTellsTheLastLease(t *testing.T) {
	f := onMini(t, queue.Options{Lease: time.Minute})
	f.push("a", "b")
	f.expire(f.claim(1).Claim)
	last := f.claim(1)
	if c := f.counts(); c.LeasedUntil.Before(last.Now.Add(time.Minute)) || c.LeasedUntil.After(c.Now.Add(time.Minute)) {
		t.Errorf("leased until %s, want a minute from %s", c.LeasedUntil, last.Now)
	}
}
