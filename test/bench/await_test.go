package bench

import (
	"slices"
	"testing"
	"time"
)

// await asks the simulator until its counts are as wanted, and returns the moment.
func (w *world) await(wanted func(simCounts) bool) time.Time {
	w.b.Helper()
	return until(w.b, func() bool { return wanted(w.counts()) })
}

// until asks again and again, and returns the moment at which the answer was yes.
func until(b *testing.B, done func() bool) time.Time {
	b.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Minute)
	for !done() {
		select {
		case <-limit:
			b.Fatal("waited for ten minutes")
		case <-tick.C:
		}
	}
	return time.Now()
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// awaitTime waits until a moment.
func awaitTime(b *testing.B, t time.Time) {
	b.Helper()
	select {
	case <-b.Context().Done():
		b.Fatal("the benchmark was cut off")
	case <-time.After(time.Until(t)):
	}
}
