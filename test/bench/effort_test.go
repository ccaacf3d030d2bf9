package bench

import (
	"fmt"
	"time"
)

// effort is what the messages of one run cost, and how fast they went. CPU is in seconds a message.
type effort struct {
	cpu    float64 // all that the process used, its start and end included
	steady float64 // from a tenth of the way on
	rate   float64 // messages a second, from the first one on
	flow   float64 // the same from a tenth of the way on
	usage  usage
}

func (e effort) String() string { return fmt.Sprintf("%.1f µs, %.0f/s", e.cpu*1e6, e.rate) }

// measure follows a sender of n messages to its end. The rates are measured between two readings of
// the simulator, so that start and end of the process do not count. It ends the benchmark unless
// each message was accepted once.
func (w *world) measure(p *process, n int64) effort {
	w.b.Helper()
	first := w.reach(p, 1)
	from := w.reach(p, n/10)
	till := w.reach(p, n*95/100)
	u := p.succeed()
	if c := w.counts(); c.Distinct != n || c.Duplicates != 0 {
		w.b.Fatalf("simulator accepted %d distinct and %d again, want %d and 0", c.Distinct, c.Duplicates, n)
	}
	return effort{
		cpu:    u.cpu.Seconds() / float64(n),
		steady: (till.cpu - from.cpu).Seconds() / float64(till.accepted-from.accepted),
		rate:   till.rateFrom(first),
		flow:   till.rateFrom(from),
		usage:  u,
	}
}

// reading is how far a sender has come at a moment.
type reading struct {
	at       time.Time
	accepted int64
	cpu      time.Duration // of the sender
}

func (r reading) rateFrom(before reading) float64 {
	return float64(r.accepted-before.accepted) / r.at.Sub(before.at).Seconds()
}

// senderTimeout is more than any run takes, even on a busy machine.
const senderTimeout = 4 * time.Minute

// reach waits until the simulator has accepted so many messages. It ends the benchmark if the
// sender does not bring them.
func (w *world) reach(p *process, accepted int64) reading {
	w.b.Helper()
	tick := time.NewTicker(20 * time.Millisecond) // seldom: each reading costs the simulator some CPU
	defer tick.Stop()
	for range tick.C {
		r := reading{accepted: w.counts().Accepted, at: time.Now(), cpu: p.cpu()}
		if r.accepted >= accepted {
			return r
		}
		if p.exited() {
			w.b.Fatalf("%v ended after %d of %d messages: %+v\n%s", p.cmd.Args, w.counts().Accepted, accepted, p.end(), p.out.Bytes())
		}
		if time.Since(p.started) > senderTimeout {
			w.b.Fatalf("%v brought %d of %d messages in %s", p.cmd.Args, r.accepted, accepted, senderTimeout)
		}
	}
	panic("a ticker does not end")
}
