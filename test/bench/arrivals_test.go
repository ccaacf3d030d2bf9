package bench

import (
	"fmt"
	"math"
	"strings"
	"time"

	"fanfare/fcmsim"
)

// arrivals tells when requests of the project came to the simulator.
func (w *world) arrivals() fcmsim.Arrivals {
	w.b.Helper()
	var t fcmsim.Trace
	w.sim.ask("/trace", &t)
	return t.Projects["bench"]
}

// spread holds a row of slots against an even rate.
type spread struct {
	slots, beyond int     // beyond are those more than 3% off
	limited       int     // requests answered 429
	used          float64 // all requests, in per cent of the even rate
	least, most   float64 // of a slot, likewise
}

func spreadOf(s fcmsim.Series, perSecond float64) spread {
	even := perSecond * time.Duration(s.Step).Seconds()
	r := spread{slots: len(s.Slots), least: math.Inf(1), used: 100 * float64(s.Total()) / (even * float64(len(s.Slots)))}
	for _, slot := range s.Slots {
		r.limited += int(slot.Limited)
		percent := 100 * float64(slot.Total()) / even
		r.least, r.most = min(r.least, percent), max(r.most, percent)
		if math.Abs(percent-100) > 3 {
			r.beyond++
		}
	}
	return r
}

// row prints the arrivals of each second, ten to a line.
func row(s fcmsim.Series) string {
	var b strings.Builder
	for i, slot := range s.Slots {
		if i > 0 && i%10 == 0 {
			b.WriteString("\n        ")
		}
		fmt.Fprintf(&b, "%7d", slot.Total())
	}
	return b.String()
}
