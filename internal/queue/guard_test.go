package queue_test

import (
	"fmt"
	"testing"
	"time"

	"fanfare/internal/queue"
)

// guardMovesUp claims from a list that was guarded for a shorter time: the deadline stays what its producer said, and whoever guards for
// a shorter time changes nothing, however often.
func guardMovesUp(t *testing.T, b *backend) {
	for _, far := range []time.Duration{2 * time.Hour, queue.Kept} {
		f := open(t, b, queue.Options{Linger: time.Hour})
		longer := openOn(t, b.rdb, b.rdb, f.id, queue.Options{Linger: far})
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
