package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// BenchmarkMemory shows the peak memory of a dispatcher, which must not grow with the audience.
func BenchmarkMemory(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, "5ms")
		fmt.Printf("\npeak memory of the dispatcher\n")
		var peaks []int64
		for _, n := range []int{100_000, 1_000_000} {
			id := "memory-" + strconv.Itoa(n)
			w.campaign(id, n)
			u := w.job(id).succeed()
			peaks = append(peaks, u.peak)
			fmt.Printf("%9d recipients: %5.1f MiB, in %.0f s\n", n, float64(u.peak)/(1<<20), u.took.Seconds())
		}
		ratio := float64(peaks[1]) / float64(peaks[0])
		fmt.Printf("ratio %.2f (at most 1.10), at most 128 MiB\n", ratio)
		b.ReportMetric(float64(peaks[1])/(1<<20), "MiB")
		b.ReportMetric(ratio, "ratio")
	}
}

// BenchmarkLoad loads 1,000,000 recipients from CSV, three times.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		w := newWorld(b, "0s")
		fmt.Printf("\nload from CSV\n")
		var rates []float64
		for i, n := range []int{100_000, 1_000_000, 1_000_000, 1_000_000} {
			id := "load-" + strconv.Itoa(i)
			file := audienceFile(b, n)
			w.fanfare("campaign", "create", id, "--message", messageFile(b))
			u := w.fanfare("load", id, file)
			rate := float64(n) / u.took.Seconds()
			if n == 1_000_000 {
				rates = append(rates, rate)
			}
			fmt.Printf("%9d recipients: %7.0f a second, start of the process included, peak memory %.1f MiB\n", n, rate, float64(u.peak)/(1<<20))
			w.fanfare("campaign", "delete", id)
		}
		b.ReportMetric(median(rates), "recipients/s")
	}
}

func rulesFile(b *testing.B, rules string) string {
	b.Helper()
	name := filepath.Join(b.TempDir(), "rules.json")
	if err := os.WriteFile(name, []byte(rules), 0o600); err != nil {
		b.Fatal(err)
	}
	return name
}
