package fcmsim

import (
	"math"
	"time"
)

// Trace is when requests to messages:send arrived, by project ID.
type Trace struct {
	Projects map[string]Arrivals `json:"projects"`
}

// Arrivals of one project: by the second for more than an hour, and by 100 ms for more than five
// minutes.
type Arrivals struct {
	Seconds Series `json:"seconds"`
	Tenths  Series `json:"tenths"`
}

// Series is a row of consecutive slots of equal length. The last one is still being filled.
type Series struct {
	From  time.Time `json:"from"` // start of the first slot; a multiple of Step
	Step  Duration  `json:"step"`
	Slots []Slot    `json:"slots"`
}

// Slot counts the requests that arrived in it.
type Slot struct {
	Accepted uint32 `json:"accepted"` // FCM has the message, whatever the sender saw
	Limited  uint32 `json:"limited"`  // answered with 429
	Other    uint32 `json:"other"`    // all others, also without a response
}

// Total returns the requests of a slot.
func (s Slot) Total() int { return int(s.Accepted) + int(s.Limited) + int(s.Other) }

// Total returns the requests of all slots.
func (s Series) Total() int {
	var sum int
	for _, slot := range s.Slots {
		sum += slot.Total()
	}
	return sum
}

// Between returns the slots that lie completely between two moments. It shares them with s.
func (s Series) Between(from, to time.Time) Series {
	step := time.Duration(s.Step)
	first := max(0, int((from.Sub(s.From)+step-1)/step))
	last := min(len(s.Slots), int(to.Sub(s.From)/step))
	if first >= last {
		return Series{From: from, Step: s.Step}
	}
	return Series{From: s.From.Add(time.Duration(first) * step), Step: s.Step, Slots: s.Slots[first:last]}
}

// Unevenness returns the largest deviation of a slot from the mean, in per cent of the mean. It is
// 0 for a series that is even or empty.
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

// Trace returns a copy of all arrivals since New or ClearLedger, as far back as Arrivals keeps
// them.
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
