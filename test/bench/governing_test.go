package bench

import (
	"fmt"
	"strconv"
	"testing"
)

// BenchmarkPriceOfGoverning takes dispatchers with and without the governor in turn, and compares the CPU for a message. The quota
// is above what 500 requests of 50 ms at a time can use, so that it limits nothing; but each push waits for its turn.
func BenchmarkPriceOfGoverning(b *testing.B) {
	const pairs = 6
	governed := []string{"FANFARE_PACING_PER_MINUTE=" + strconv.Itoa(fullQuota*2)}
	free := []string{"FANFARE_PACING_ENABLED=false", "FANFARE_BREAKER_ENABLED=false"}
	for b.Loop() {
		w := newWorld(b, "50ms")
		fmt.Printf("\nthe price of governing: quota, gate, room on the wire, canary and breakers; %d recipients, %d at a time, 50 ms\n", recipients, concurrency)
		fmt.Printf("%4s  %22s  %22s  %18s\n", "pair", "without", "with", "cpu per message")
		var ratios []float64
		for pair := range pairs {
			id := "price" + strconv.Itoa(pair)
			var with, without effort
			if pair%2 == 0 {
				without, with = runDispatcher(w, id+"-without", free...), runDispatcher(w, id+"-with", governed...)
			} else {
				with, without = runDispatcher(w, id+"-with", governed...), runDispatcher(w, id+"-without", free...)
			}
			ratios = append(ratios, with.cpu/without.cpu)
			fmt.Printf("%4d  %22s  %22s  %17.3fx\n", pair+1, without, with, ratios[pair])
		}
		fmt.Printf("median: cpu per message %.3fx (at most 1.05)\n", median(ratios))
		b.ReportMetric(median(ratios), "cpu-ratio")
	}
}
