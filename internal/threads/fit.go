// Package threads makes Go's scheduler cheap for a program that works in many short bursts, as one
// does whose requests are answered one by one.
//
// Two costs are out of proportion there. Each burst wakes idle processors of the scheduler, and is
// over before they find work: see Fitter. And the runtime's monitor thread wakes up every 70 µs as
// long as there are bursts: see Relax. Together they were a third of the dispatcher's CPU at FCM's
// full quota.
package threads

import (
	"context"
	"os"
	"runtime"
	"time"
)

// ReviewInterval is how often a Fitter should look at the CPU that was used.
const ReviewInterval = 500 * time.Millisecond

// Fitter keeps GOMAXPROCS at what the process needs.
type Fitter struct {
	most  int                  // the value at the start
	usage func() time.Duration // CPU time of the process
	used  time.Duration
	at    time.Time
	fixed bool
}

// NewFitter returns a Fitter that never goes above the present GOMAXPROCS. It changes nothing if
// the environment sets that.
func NewFitter() *Fitter { return newFitter(cpuTime) }

func newFitter(usage func() time.Duration) *Fitter {
	_, fixed := os.LookupEnv("GOMAXPROCS")
	return &Fitter{most: runtime.GOMAXPROCS(0), usage: usage, used: usage(), at: time.Now(), fixed: fixed}
}

// Review sets GOMAXPROCS by the CPU that was used since the last call. Calls must not overlap.
func (f *Fitter) Review(context.Context) {
	used, now, procs := f.usage(), time.Now(), runtime.GOMAXPROCS(0)
	next := fitting(procs, f.most, (used-f.used).Seconds()/now.Sub(f.at).Seconds())
	f.used, f.at = used, now
	if next != procs && !f.fixed {
		runtime.GOMAXPROCS(next)
	}
}

// fitting returns the number of processors for the next interval, after one in which procs of them
// used so many CPUs. More come early, because other programs may keep the process from using all of
// those it has. The margin between more and fewer keeps a decision from being undone by the next.
func fitting(procs, most int, used float64) int {
	const enough, crowded = 0.5, 0.7 // of all processors
	fewer := max(1, procs/2)
	switch {
	case used > crowded*float64(procs):
		return min(most, 2*procs)
	case used < enough*float64(fewer):
		return fewer
	}
	return procs
}
