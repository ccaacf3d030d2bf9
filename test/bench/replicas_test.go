package bench

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

const (
	shortRamp  = 12 * time.Second // instead of 60, five times shorter
	addedAt    = 22 * time.Second
	killedAt   = 35 * time.Second
	lookedTill = 54 * time.Second // the lease of who was killed ends before that
)

// BenchmarkReplicasComeAndGo ramps four replicas up, adds four in mid-run, and kills one of the
// eight.
func BenchmarkReplicasComeAndGo(b *testing.B) {
	const perSecond = fullQuota / 60
	n := perSecond * int((lookedTill-shortRamp/2)/time.Second)
	for b.Loop() {
		w := newFleetWorld(b, fullQuota, shortRamp)
		w.campaign("comeandgo", n)
		w.hold(fullQuota, quotaLead)
		f := w.fleet("comeandgo", 4, 8)
		began := w.await(func(c simCounts) bool { return c.Requests > 0 })
		awaitTime(b, began.Add(addedAt))
		f.add(4)
		awaitTime(b, began.Add(killedAt))
		f.replicas[0].signal(syscall.SIGKILL)
		f.replicas[0].end()
		f.drained()
		trace := w.arrivals()
		show := func(what string, from, to time.Duration) spread {
			s := spreadOf(trace.Seconds.Between(began.Add(from), began.Add(to)), perSecond)
			fmt.Printf("        %-34s %5.1f%% of the quota used, seconds from %5.1f%% to %5.1f%% of even\n", what, s.used, s.least, s.most)
			return s
		}
		fmt.Printf("\nfour replicas, four more after %.0f s, one of the eight killed after %.0f s; quota %d a minute; ramp of %.0f s instead of 60\n",
			addedAt.Seconds(), killedAt.Seconds(), fullQuota, shortRamp.Seconds())
		fmt.Printf("        %s\n", row(trace.Seconds.Between(began, began.Add(lookedTill))))
		show("four replicas, after the ramp:", shortRamp+2*time.Second, addedAt)
		show("four come:", addedAt, addedAt+5*time.Second)
		show("eight replicas:", addedAt+5*time.Second, killedAt)
		show("one is killed:", killedAt, killedAt+3*time.Second)
		show("seven replicas:", killedAt+3*time.Second, lookedTill-2*time.Second)
		c, books := w.counts(), w.books("comeandgo")
		fmt.Printf("        answered 429: %d (0); lost %d (0); the kill cost %d recipients a wait for their lease, and %d of them a duplicate\n",
			c.Codes["QUOTA_EXCEEDED"], int64(n)-c.Distinct, books.Lost, c.Duplicates)
		b.ReportMetric(float64(c.Codes["QUOTA_EXCEEDED"]), "429s")
		b.ReportMetric(float64(c.Duplicates), "duplicates")
	}
}
