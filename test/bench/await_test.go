package bench

import (
	"slices"
	"time"
)

// await asks the simulator until its counts are as wanted, and returns the moment.
func (w *world) await(wanted func(simCounts) bool) time.Time {
	w.b.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	limit := time.After(10 * time.Minute)
	for !wanted(w.counts()) {
		select {
		case <-limit:
			w.b.Fatalf("the simulator stands at %+v", w.counts())
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
