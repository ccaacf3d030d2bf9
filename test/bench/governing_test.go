package bench

import (
	"fmt"
	"strconv"
	"testing"
)

const (
	pricePairs      = 5
	priceRecipients = 80_000
)

// BenchmarkPriceOfGoverning takes dispatchers with and without the governor in turn, and compares
// the CPU for a message. The quota is twice FCM's and above what 500 requests of 50 ms at a time
// can use, so that it limits nothing.
func BenchmarkPriceOfGoverning(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, "50ms")
		fmt.Printf("\nthe price of governing (quota, gate, canary, breakers): %d recipients, %d at a time, 50 ms; CPU for a message\n",
			priceRecipients, concurrency)
		fmt.Printf("%4s  %26s  %26s  %10s  %16s\n", "pair", "without: steady, in all", "with: steady, in all", "steady", "start included")
		var steady, all []float64
		for pair := range pricePairs {
			without, with := pricePair(w, pair)
			steady = append(steady, with.steady/without.steady)
			all = append(all, with.cpu/without.cpu)
			fmt.Printf("%4d  %11.1f µs %11.1f µs  %11.1f µs %11.1f µs  %9.3fx  %15.3fx\n", pair+1,
				without.steady*1e6, without.cpu*1e6, with.steady*1e6, with.cpu*1e6, steady[pair], all[pair])
		}
		fmt.Printf("median: %.3fx (at most 1.05), start included %.3fx\n", median(steady), median(all))
		b.ReportMetric(median(steady), "cpu-ratio")
		b.ReportMetric(median(all), "cpu-ratio-start-included")
	}
}

// pricePair begins with the one and with the other in turn: machines get slower and faster.
func pricePair(w *world, pair int) (without, with effort) {
	run := func(name string, env ...string) effort {
		return runDispatcher(w, "price"+strconv.Itoa(pair)+"-"+name, priceRecipients, env...)
	}
	governed := func() { with = run("with", "FANFARE_PACING_PER_MINUTE="+strconv.Itoa(2*fullQuota)) }
	if pair%2 == 1 {
		governed()
	}
	without = run("without", "FANFARE_PACING_ENABLED=false", "FANFARE_BREAKER_ENABLED=false")
	if pair%2 == 0 {
		governed()
	}
	return without, with
}
