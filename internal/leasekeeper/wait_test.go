package leasekeeper_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/leasekeeper"
)

// What has begun may finish within the grace, and no later.
func TestGraceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		workCtx, stop := context.WithCancel(t.Context())
		graceCtx, cancel := leasekeeper.WithGrace(workCtx, 5*time.Second)
		defer cancel()
		<-time.After(time.Hour)
		if graceCtx.Err() != nil {
			t.Error("the grace ended before the work")
		}
		stop()
		began := time.Now()
		<-graceCtx.Done()
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it ended after %s", took)
		}
	})
}

// A cancelled grace ends at once and leaves no timer behind.
func TestGraceIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		workCtx, stop := context.WithCancel(t.Context())
		graceCtx, cancel := leasekeeper.WithGrace(workCtx, time.Minute)
		stop()
		synctest.Wait()
		cancel()
		if graceCtx.Err() == nil {
			t.Error("the grace goes on")
		}
	})
}

func TestBackoffDoublesUpToItsLimit(t *testing.T) {
	b := leasekeeper.Backoff{Base: 100 * time.Millisecond, Limit: time.Second}
	for range 2 {
		for i, want := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
			want *= time.Millisecond
			if got := b.Next(); got != want || b.Delay(i) != want {
				t.Errorf("delay %d is %s, want %s", i, got, want)
			}
		}
		b.Reset()
	}
	if got := b.Delay(1_000_000); got != time.Second {
		t.Errorf("after a million failures %s", got)
	}
}

func TestJitterTakesOffHalfAtMost(t *testing.T) {
	seen := make(map[time.Duration]bool)
	for range 100 {
		got := leasekeeper.Jitter(time.Second)
		if seen[got] = true; got < time.Second/2 || got > time.Second {
			t.Errorf("%s, want between half a second and one", got)
		}
	}
	if len(seen) < 2 {
		t.Error("the wait is always the same")
	}
	if got := leasekeeper.Jitter(0); got != 0 {
		t.Errorf("no wait became %s", got)
	}
}

func TestSleepEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begun := time.Now()
		if !leasekeeper.Sleep(ctx, time.Second) || leasekeeper.Sleep(ctx, time.Hour) || time.Since(begun) != time.Minute {
			t.Errorf("ended after %s", time.Since(begun))
		}
	})
}
