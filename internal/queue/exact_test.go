package queue_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// A claim may be exactly as large as the limit says.
func TestClaimsExactlyTheLimit(t *testing.T) {
	f := onMini(t, queue.Options{ClaimBytes: 10})
	f.push("aaaaa", "bbbbb", "c")
	wantList(t, "claimed", raws(f.claim(3)), []string{"aaaaa", "bbbbb"})
}

// A script that has moved exactly as many elements as are enough moves no more.
func TestGivesBackExactlyEnough(t *testing.T) {
	b := onMiniredis(t)
	f := openOn(t, b.lossy, b.rdb, queue.NewClaimID(), queue.Options{})
	f.push(numbered("u", 1007)...)
	var claims []string
	for _, n := range []int{7, 500, 500} {
		claims = append(claims, f.claim(n).Claim)
	}
	var back []int64
	b.lose(t, func(int, []string) bool {
		back = append(back, f.rdb.LLen(t.Context(), f.list.Key(keys.SuffixBack)).Val())
		return false
	})
	wantEqual(t, "given back", f.giveBack(claims...), 1007)
	wantEqual(t, "back before each script", fmt.Sprint(slices.Compact(back)), "[0 1000]")
}

// What stands where a batch was cut before its push, and begins alike, is another's: the batch is pushed whole.
func TestAppendTakesNothingForItsOwn(t *testing.T) {
	f := onMini(t, queue.Options{})
	f.push("first")
	f.set("append", "0 1 0 3 load")
	f.push("same", "other")
	wantEqual(t, "accepted", f.append("load", 0, 0, "same", "own"), true)
	wantList(t, "list", raws(f.claim(9)), []string{"first", "same", "other", "same", "own"})
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
