package queue_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// Leases that another program has given an expiry are kept by the recovery of a move, too, even if the script does nothing else.
func TestRecoveryKeepsLeases(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	f := openOn(t, rdb, rdb, "kept", queue.Options{Lease: time.Minute})
	f.push("a", "b")
	f.claimAs("held", 1)
	leases := f.list.Key(keys.SuffixLeases)
	for _, err := range []error{
		rdb.HSet(t.Context(), f.list.Key(keys.SuffixCounts), "journal", "release all gone").Err(),
		rdb.Expire(t.Context(), leases, time.Hour).Err(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.GiveBack(t.Context(), "gone"); n != 0 || err != nil {
		t.Fatalf("%d given back of a claim that is gone, error %v", n, err)
	}
	if left := rdb.TTL(t.Context(), leases).Val(); left != -1 {
		t.Errorf("the leases expire in %s, want never", left)
	}
}

// A claim that was cut behind the trim of its list is booked by the next script. What is left in the list stays there, also where
// it looks like what was claimed.
func TestRecoveryDropsNoCopies(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	f := openOn(t, rdb, rdb, "copies", queue.Options{Lease: time.Minute})
	f.push("same", "same", "same", "same")
	const claim = "cut"
	f.claimAs(claim, 2)
	err := rdb.HSet(t.Context(), f.list.Key(keys.SuffixCounts), "journal", "claim "+claim+" 0 4", "inflight", 0, "claimed", 0).Err()
	if err != nil {
		t.Fatal(err)
	}
	books := func(when string, listed, claimed int64) {
		t.Helper()
		c, err := f.Count(t.Context())
		if err != nil || c.Listed != listed || c.InFlight != claimed || c.Claimed != claimed {
			t.Errorf("%s: %d listed, %d in flight, %d claimed, error %v; want %d listed, %d claimed", when, c.Listed, c.InFlight, c.Claimed, err, listed, claimed)
		}
	}
	books("before the next claim", 2, 2)
	f.claim(5)
	books("after it", 0, 4)
}
