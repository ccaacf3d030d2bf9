package bench

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

const (
	pairs       = 4
	recipients  = 120_000
	concurrency = 500
)

// BenchmarkDispatcherAgainstBareLoop runs the dispatcher, end to end, and a bare loop of the SDK's
// Send in turn. Both use the same simulator with 50 ms of latency.
func BenchmarkDispatcherAgainstBareLoop(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, "50ms")
		fmt.Printf("\ndispatcher end to end, against a bare loop of the SDK's Send of the same messages: %d recipients, %d at a time, 50 ms\n", recipients, concurrency)
		fmt.Printf("%4s  %22s  %22s  %18s  %9s\n", "pair", "bare loop", "dispatcher", "cpu per message", "pushes/s")
		var cpu, rate []float64
		for pair := range pairs {
			bare := runBare(b, w)
			ours := runDispatcher(w, "pair"+strconv.Itoa(pair), recipients)
			cpu = append(cpu, ours.cpu/bare.cpu)
			rate = append(rate, ours.rate/bare.rate)
			fmt.Printf("%4d  %22s  %22s  %17.2fx  %8.2fx\n", pair+1, bare, ours, cpu[pair], rate[pair])
		}
		fmt.Printf("median: cpu per message %.2fx (at most 1.15), throughput %.2fx (at least 0.95)\n", median(cpu), median(rate))
		b.ReportMetric(median(cpu), "cpu-ratio")
		b.ReportMetric(median(rate), "throughput-ratio")
	}
}

// effort is what one message cost in seconds of CPU, and how many went out a second.
type effort struct {
	cpu    float64 // all that the process used, its start and end included
	steady float64 // from a tenth of the way on; 0 where it was not measured
	rate   float64
}

func (e effort) String() string { return fmt.Sprintf("%.1f µs, %.0f/s", e.cpu*1e6, e.rate) }

func runBare(b *testing.B, w *world) effort {
	b.Helper()
	p := start(b, []string{
		bareLoopEnv + "=" + w.sim.TLS, bareCAEnv + "=" + w.sim.CAFile,
		bareCount + "=" + strconv.Itoa(recipients), bareWorkers + "=" + strconv.Itoa(concurrency),
	}, "/proc/self/exe")
	u := p.succeed()
	took, err := strconv.ParseFloat(strings.TrimSpace(p.out.String()), 64)
	if err != nil {
		b.Fatalf("read %q: %v", p.out.Bytes(), err)
	}
	return effort{cpu: u.cpu.Seconds() / recipients, rate: recipients / took}
}

// runDispatcher loads a campaign of n recipients and drains it with a Job. The rate is measured
// between two readings of the simulator, so that start and end of the process do not count.
func runDispatcher(w *world, id string, n int64, env ...string) effort {
	w.campaign(id, int(n))
	w.forget()
	p := w.job(id, env...)
	begun := w.await(func(c simCounts) bool { return c.Accepted > 0 })
	first := w.counts()
	w.await(func(c simCounts) bool { return c.Accepted >= n/10 })
	from, before := w.counts(), p.cpu()
	w.await(func(c simCounts) bool { return c.Accepted >= n*95/100 })
	till, took, spent := w.counts(), time.Since(begun), p.cpu()-before
	u := p.succeed()
	if c := w.counts(); c.Distinct != n || c.Duplicates != 0 {
		w.b.Fatalf("simulator accepted %d distinct and %d again, want %d and 0", c.Distinct, c.Duplicates, n)
	}
	return effort{
		cpu:    u.cpu.Seconds() / float64(n),
		steady: spent.Seconds() / float64(till.Accepted-from.Accepted),
		rate:   float64(till.Accepted-first.Accepted) / took.Seconds(),
	}
}
