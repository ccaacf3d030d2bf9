package campaign

import (
	"testing"
	"time"
)

// With few keys the next Discover finds a list. With many, passes take at most a hundredth of the
// time.
func TestThePauseBetweenScansFollowsThePass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ every, took, want time.Duration }{
		{0, time.Millisecond, 100 * time.Millisecond},
		{0, time.Minute, DefaultScanEvery},
		{time.Hour, time.Millisecond, time.Hour},
	} {
		if got := (Options{ScanEvery: c.every}).scanPause(c.took); got != c.want {
			t.Errorf("every %s, after a pass of %s: %s, want %s", c.every, c.took, got, c.want)
		}
	}
}

// Unsettled campaigns are searched at the same interval, however often the keyspace is scanned.
func TestTheUnsettledAreNotLookedForAtEachScan(t *testing.T) {
	t.Parallel()
	var s scanner
	s.begin(time.Hour)
	if !s.unsettled.Swap(false) {
		t.Error("the first pass looks for nothing unsettled")
	}
	s.begin(time.Hour)
	if s.unsettled.Load() {
		t.Error("the next pass looks for it again at once")
	}
}
