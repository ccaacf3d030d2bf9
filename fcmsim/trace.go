package fcmsim

import (
	"math"
	"time"
)

// Trace tells when requests to messages:send arrived, by project.
type Trace struct {
	Projects map[string]Arrivals `json:"projects"`
}

// Arrivals of one project: by the second for the last hour and more, and by 100 ms for the last five minutes and more.
type Arrivals struct {
	Seconds Series `json:"seconds"`
	Tenths  Series `json:"tenths"`
}

// Series is a row of slots of the same length, one after the other. The last one is still being filled.
type Series struct {
	From  time.Time `json:"from"` // of the first slot; a multiple of Step on the clock
	Step  Duration  `json:"step"`
	Slots []Slot    `json:"slots"`
}

// Slot counts the requests that arrived in it.
type Slot struct {
	Accepted uint32 `json:"accepted"` // FCM has the message, whatever the sender got to see
	Limited  uint32 `json:"limited"`  // answered 429
	Other    uint32 `json:"other"`    // all else, those that were not answered included
}

// Total of a slot.
func (s Slot) Total() int { return int(s.Accepted) + int(s.Limited) + int(s.Other) }

// Total of all slots.
func (s Series) Total() int {
	var sum int
	for _, slot := range s.Slots {
		sum += slot.Total()
	}
	return sum
}

// Between keeps the slots that lie whole between two moments.
func (s Series) Between(from, to time.Time) Series {
	step := time.Duration(s.Step)
	first := max(0, int((from.Sub(s.From)+step-1)/step))
	last := min(len(s.Slots), int(to.Sub(s.From)/step))
	if first >= last {
		return Series{From: from, Step: s.Step}
	}
	return Series{From: s.From.Add(time.Duration(first) * step), Step: s.Step, Slots: s.Slots[first:last]}
}

// Unevenness is how far the slot that is farthest from the mean lies from it, in per cent of the mean; 0 for a row that
// is perfectly even or empty.
func (s Series) Unevenness() float64 {
	mean := float64(s.Total()) / float64(len(s.Slots))
	if !(mean > 0) {
		return 0
	}
	var farthest float64
	for _, slot := range s.Slots {
		farthest = max(farthest, math.Abs(float64(slot.Total())-mean))
	}
	return 100 * farthest / mean
}

// Trace of all arrivals since the start, or since the ledger was cleared, as far back as Arrivals go.
func (s *Simulator) Trace() Trace {
	now := time.Now()
	t := Trace{Projects: make(map[string]Arrivals)}
	for project, known := range s.projects.all() {
		if arrivals, some := known.arrivals.snapshot(now); some {
			t.Projects[project] = arrivals
		}
	}
	return t
}
