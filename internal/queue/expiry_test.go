package queue_test

import (
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// expiryBecomesDeadline goes through the life of a list whose producer sets an expiry.
func expiryBecomesDeadline(t *testing.T, b *backend) {
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

	// A list that is written anew has no deadline until it is given an expiry, and those who came from the old one have the new
	// one's word.
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

	// The deadline passes, which is no matter to another audience.
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
