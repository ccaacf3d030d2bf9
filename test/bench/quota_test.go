package bench

import (
	"fmt"
	"strconv"
	"testing"
	"time"
)

// quotaLead is how long the fleet runs before the minute that is looked at: its requests in flight find their number.
const quotaLead = 8 * time.Second

// BenchmarkQuota lets 1, 4 and 8 replicas use FCM's whole quota for a whole minute of the quota, which is not the clock's.
func BenchmarkQuota(b *testing.B) {
	for _, replicas := range []int{1, 4, 8} {
		b.Run("replicas="+strconv.Itoa(replicas), func(b *testing.B) {
			for b.Loop() {
				steadyMinute(b, replicas, fullQuota)
			}
		})
	}
}

func steadyMinute(b *testing.B, replicas, perMinute int) {
	w := newFleetWorld(b, perMinute, 0)
	n := perMinute/60*int((quotaLead+time.Minute)/time.Second) + perMinute/30 // two seconds more
	w.campaign("steady", n)
	begins := w.hold(perMinute, quotaLead)
	before := readHost(b)
	f := w.fleet("steady", replicas, replicas)
	awaitTime(b, begins.Add(time.Minute))
	machine := readHost(b).since(before)
	cpu := f.drained()
	trace := w.arrivals()
	seconds := trace.Seconds.Between(begins, begins.Add(time.Minute))
	tenths := trace.Tenths.Between(begins, begins.Add(time.Minute))
	even := float64(perMinute) / 60
	all, minute, tenth := spreadOf(trace.Seconds, even), spreadOf(tenths, even), spreadOf(tenths, even)
	second := spreadOf(seconds, even)
	used := 100 * float64(minute.total) / float64(perMinute)
	fmt.Printf("\nquota %d a minute, %d replicas: %.2f%% of one whole minute of the quota used (at least 98); answered 429: %d (0); ",
		perMinute, replicas, used, all.limited)
	fmt.Printf("seconds from %.1f%% to %.1f%% of even (within 3), tenths of one from %.0f%% to %.0f%%\n",
		second.least, second.most, tenth.least, tenth.most)
	fmt.Printf("        %.1f µs of CPU a message; the machine %s\n", cpu.Seconds()/float64(n)*1e6, machine)
	fmt.Printf("        %s\n", row(trace.Seconds.Between(begins.Add(-quotaLead), begins.Add(time.Minute))))
	b.ReportMetric(used, "%-used")
	b.ReportMetric(float64(all.limited), "429s")
	b.ReportMetric(max(100-second.least, second.most-100), "%-off-in-worst-second")
}
