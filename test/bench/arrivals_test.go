package bench

import (
	"fmt"
	"strings"
	"time"

	"fanfare/internal/fcmsim"
)

// arrivals tells when requests of the project came to the simulator.
func (w *world) arrivals() fcmsim.Arrivals {
	w.b.Helper()
	var t fcmsim.Trace
	w.sim.ask("/trace", &t)
	return t.Projects["bench"]
}

// spread sums up a row of slots against an even rate a second.
type spread struct {
	total, limited int
	used           float64 // all of them, in per cent of the even rate
	least, most    float64 // of a slot, in per cent of the even rate
	uneven         float64 // the farthest slot from the mean of all, in per cent of that
}

func spreadOf(s fcmsim.Series, perSecond float64) spread {
	even := perSecond * time.Duration(s.Step).Seconds()
	r := spread{total: s.Total(), uneven: s.Unevenness()}
	for i, slot := range s.Slots {
		r.limited += int(slot.Limited)
		percent := 100 * float64(slot.Total()) / even
		if i == 0 {
			r.least, r.most = percent, percent
		}
		r.least, r.most = min(r.least, percent), max(r.most, percent)
	}
	r.used = 100 * float64(r.total) / (even * float64(max(1, len(s.Slots))))
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
