package bench

import (
	"fmt"
	"syscall"
	"time"
)

// load is what the parts of a world have used up to a moment, in seconds of CPU.
type load struct {
	fleet, simulator, store, self float64
	host                          host
}

func (f *fleet) load() (l load) {
	f.w.b.Helper()
	for _, p := range f.replicas {
		if !p.waited {
			l.fleet += p.cpu().Seconds()
		}
	}
	l.simulator, l.store, l.self, l.host = f.w.sim.cpu().Seconds(), redisCPU(f.w), selfCPU(f.w).Seconds(), readHost(f.w.b)
	return l
}

// all is what the parts have used together.
func (l load) all() float64 { return l.fleet + l.simulator + l.store + l.self }

// since tells who used how many CPUs from a moment on. What others used on the machine is not to be
// had by the fleet.
func (l load) since(before load) string {
	took := l.host.at.Sub(before.host.at).Seconds()
	fleet, simulator, store := (l.fleet-before.fleet)/took, (l.simulator-before.simulator)/took, (l.store-before.store)/took
	programs, interrupts := l.host.busy(before.host)
	others := programs - (l.all()-before.all())/took
	return fmt.Sprintf("CPUs used by dispatchers %.2f, simulator %.2f, Redis %.2f, interrupts %.2f, others %.2f; %s",
		fleet, simulator, store, interrupts, max(0, others), l.host.since(before.host))
}

// selfCPU is what the benchmark itself has used.
func selfCPU(w *world) time.Duration {
	w.b.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		w.b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
