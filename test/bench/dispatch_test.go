package bench

import (
	"fmt"
	"strconv"
	"testing"
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
			bare := runBare(w)
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

// runBare sends with a bare loop of the SDK's Send.
func runBare(w *world) effort {
	w.b.Helper()
	w.forget()
	return w.measure(w.peer("sdkloop", setting{InFlight: concurrency}, recipients), recipients)
}

// runDispatcher loads a campaign of n recipients and drains it with a Job.
func runDispatcher(w *world, id string, n int64, env ...string) effort {
	w.b.Helper()
	w.campaign(id, int(n))
	w.forget()
	return w.measure(w.job(id, env...), n)
}
