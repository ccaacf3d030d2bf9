package bench

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// fullQuota is what FCM gives a project, in messages a minute.
const fullQuota = 600_000

// newFleetWorld is a world whose dispatchers keep a pace, and whose simulator has no limit until
// hold is called.
func newFleetWorld(b *testing.B, perMinute int, ramp time.Duration) *world {
	b.Helper()
	w := newWorld(b, fleetLatency)
	w.env = append(w.env, "FANFARE_PACING_PER_MINUTE="+strconv.Itoa(perMinute), "FANFARE_PACING_RAMP="+ramp.String())
	return w
}

// fleetLatency is that of most answers of FCM.
const fleetLatency = "lognormal(50ms, 0.3)"

// hold has the simulator keep the quota of each project from now on, in minutes of which one begins
// after lead: not with the clock's. It tells when that is.
func (w *world) hold(perMinute int, lead time.Duration) (begins time.Time) {
	w.b.Helper()
	begins = time.Now().Add(lead)
	w.putRules(fmt.Sprintf(`{"latency":%q,"quota":{"perMinute":%d,"offset":"%s"}}`, fleetLatency, perMinute, intoMinute(begins)))
	return begins
}

func intoMinute(t time.Time) time.Duration { return t.Sub(t.Truncate(time.Minute)) }

// fleet is some replicas of one Job.
type fleet struct {
	w        *world
	id       string
	share    int // of the pushes in flight, for each replica
	replicas []*process
}

// inFlight is what 10,000 pushes a second need, of 50 ms and what a recipient waits before and
// after, all replicas together.
const inFlight = 2000

// fleet starts replicas of the campaign's Job; most is how many there are going to be at a time.
func (w *world) fleet(id string, replicas, most int) *fleet {
	w.b.Helper()
	f := &fleet{w: w, id: id, share: max(concurrency, inFlight/most)}
	f.add(replicas)
	return f
}

func (f *fleet) add(n int) {
	f.w.b.Helper()
	for range n {
		f.replicas = append(f.replicas, f.w.job(f.id,
			"FANFARE_DISPATCHER_CONCURRENCY="+strconv.Itoa(f.share), "FANFARE_DISPATCHER_CLAIM="+strconv.Itoa(f.share/5)))
	}
}

// drained waits until all replicas that were not killed have ended well, and returns the CPU time
// of them all.
func (f *fleet) drained() (cpu time.Duration) {
	f.w.b.Helper()
	for _, p := range f.replicas {
		if !p.waited {
			cpu += p.succeed().cpu
		}
	}
	return cpu
}

// logs are the lines of all replicas that hold a text.
func (f *fleet) logs(text string) (lines []string) {
	for _, p := range f.replicas {
		for line := range strings.Lines(p.out.String()) {
			if strings.Contains(line, text) {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}
