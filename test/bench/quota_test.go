package bench

import (
	"fmt"
	"testing"
	"time"
)

const (
	// quotaLead is how long the fleet runs before the minute that is looked at.
	quotaLead = 12 * time.Second
	// paced is the share of the quota that dispatchers use unless they are told otherwise.
	paced = 0.99
)

// BenchmarkQuota lets 1, 4 and 8 replicas use FCM's whole quota for a whole minute of the quota,
// which is not the clock's; and eight use half of it, for machines that do not carry more.
func BenchmarkQuota(b *testing.B) {
	for _, run := range []struct{ replicas, perMinute int }{{1, fullQuota}, {4, fullQuota}, {8, fullQuota}, {8, fullQuota / 2}} {
		b.Run(fmt.Sprintf("replicas=%d/quota=%d", run.replicas, run.perMinute), func(b *testing.B) {
			for b.Loop() {
				quotaMinute(b, run.replicas, run.perMinute)
			}
		})
	}
}

func quotaMinute(b *testing.B, replicas, perMinute int) {
	const lasts = quotaLead + time.Minute
	even := paced * float64(perMinute) / 60
	n := int(even * (lasts + 2*time.Second).Seconds())
	w := newFleetWorld(b, perMinute, 0)
	w.campaign("steady", n)
	begins := w.hold(perMinute, quotaLead)
	f := w.fleet("steady", replicas, replicas)
	awaitTime(b, begins)
	before := f.load()
	awaitTime(b, begins.Add(time.Minute))
	machine := f.load().since(before)
	cpu := f.drained()
	trace := w.arrivals()
	all := spreadOf(trace.Seconds, even)
	seconds := spreadOf(trace.Seconds.Between(begins, begins.Add(time.Minute)), even)
	tenths := spreadOf(trace.Tenths.Between(begins, begins.Add(time.Minute)), even)
	fmt.Printf("\nquota %d a minute, %d replicas: %.2f%% of one whole minute of the quota used (at least 98), answered 429: %d (0)\n",
		perMinute, replicas, paced*tenths.used, all.limited)
	fmt.Printf("        seconds from %.1f%% to %.1f%% of the pace (within 3), %d of %d beyond; tenths of a second from %.0f%% to %.0f%%\n",
		seconds.least, seconds.most, seconds.beyond, seconds.slots, tenths.least, tenths.most)
	fmt.Printf("        %.1f µs of CPU a message; %s\n", cpu.Seconds()/float64(n)*1e6, machine)
	fmt.Printf("        %s\n", row(trace.Seconds.Between(begins.Add(-quotaLead), begins.Add(time.Minute))))
	b.ReportMetric(paced*tenths.used, "%-used")
	b.ReportMetric(float64(all.limited), "429s")
	b.ReportMetric(max(100-seconds.least, seconds.most-100), "%-off-in-worst-second")
}
