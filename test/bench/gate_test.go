package bench

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

const (
	gateWait = 30 * time.Second
	gateRamp = 10 * time.Second // FCM asks for 60 s
	gateRest = 12 * time.Second // at the end, with the ramp behind it
)

// gateRules answer one recipient's first attempt as a project over its quota is answered.
const gateRules = `{"latency":"` + fleetLatency + `","prefixes":{"quota-":{"code":"QUOTA_EXCEEDED","times":1,"retryAfter":"30","latency":"1ms"}}}`

// BenchmarkGate lets four replicas at full pace meet one 429 of the project, and counts what they
// send after it.
func BenchmarkGate(b *testing.B) {
	const perSecond = fullQuota / 60
	before := perSecond * 15
	for b.Loop() {
		w := newFleetWorld(b, fullQuota, gateRamp)
		w.putRules(gateRules)
		w.campaignOf("gate", csvFile(b, "userId,fcmToken", before+perSecond*20, func(i int) string {
			if i == before {
				return userName(i) + ",quota-" + tokenOf(i)
			}
			return userName(i) + "," + tokenOf(i)
		}))
		f := w.fleet("gate", 4, 4)
		closed := w.watchGate()
		f.drained()
		printGate(w, closed, len(f.logs("close gate: nothing goes")))
	}
}

// sighting is what the simulator had counted at a moment.
type sighting struct {
	at       time.Time
	requests int64
}

// watchGate looks at the simulator every millisecond or two, and returns all that it saw from the
// 429 until the end of its wait.
func (w *world) watchGate() (seen []sighting) {
	w.b.Helper()
	w.await(func(c simCounts) bool { return c.Requests > 0 })
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		c := w.counts()
		if c.Codes["QUOTA_EXCEEDED"] == 0 {
			continue
		}
		seen = append(seen, sighting{time.Now(), c.Requests})
		if time.Since(seen[0].at) > gateWait+2*time.Second {
			return seen
		}
	}
	return seen
}

// printGate tells what came after the 429, and when.
func printGate(w *world, seen []sighting, told int) {
	first := seen[0]
	after := func(d time.Duration) int64 {
		at, _ := slices.BinarySearchFunc(seen, first.at.Add(d), func(s sighting, t time.Time) int { return s.at.Compare(t) })
		return seen[max(0, at-1)].requests - first.requests
	}
	end := gateWait - 100*time.Millisecond
	trace := w.arrivals()
	last := trace.Seconds.Between(first.at.Add(-2*time.Second), first.at)
	fmt.Printf("\none 429 of the project with Retry-After %.0f, at %d a second over 4 replicas; arrived after it was answered:\n",
		gateWait.Seconds(), last.Total()/max(1, len(last.Slots)))
	fmt.Printf("        within 5 ms %d, then to 20 ms %d, to 100 ms %d, from then until %.1f s %d (none but what is on the wire)\n",
		after(5*time.Millisecond), after(20*time.Millisecond)-after(5*time.Millisecond),
		after(100*time.Millisecond)-after(20*time.Millisecond), end.Seconds(), after(end)-after(100*time.Millisecond))
	again := slices.IndexFunc(seen, func(s sighting) bool { return s.at.After(first.at.Add(end)) && s.requests-first.requests > after(end) })
	if again < 0 {
		w.b.Fatal("nothing was sent when the wait was over")
	}
	open := seen[again].at
	fmt.Printf("        sent again after %.3f s; %d of 4 replicas saw the 429 itself, the others were told\n", open.Sub(first.at).Seconds(), told)
	fmt.Printf("        then a ramp of %.0f s (FCM asks for 60), by the second:\n        %s\n", gateRamp.Seconds(),
		row(trace.Seconds.Between(open, open.Add(gateRest))))
	w.b.ReportMetric(float64(after(end)-after(100*time.Millisecond)), "sent-in-the-gate")
	w.b.ReportMetric(float64(after(end)), "sent-after-429")
}
