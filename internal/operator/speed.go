package operator

import (
	"slices"
	"time"
)

// speedWindow is how far back a sparkline looks.
const speedWindow = 5 * time.Minute

// speedStep is the distance of its points.
const speedStep = 5 * time.Second

// Speed is how fast the recipients of a campaign ended in the last five minutes. It is a value:
// Observe returns another one. The zero Speed knows nothing.
type Speed struct {
	points []point // oldest first, at least a step apart, the last one newer
	from   time.Time
}

type point struct {
	at    time.Time
	ended int64
}

// Observe adds how many recipients have ended at a moment.
func (s Speed) Observe(at time.Time, ended int64) Speed {
	next := Speed{from: s.from, points: s.points}
	if next.from.IsZero() {
		next.from = at
	}
	now := point{at, ended}
	if n := len(s.points); n >= 2 && s.points[n-1].at.Sub(s.points[n-2].at) < speedStep {
		next.points = append(slices.Clone(s.points[:n-1]), now)
	} else {
		next.points = append(slices.Clone(s.points), now)
	}
	first := 0
	for first < len(next.points)-1 && at.Sub(next.points[first+1].at) >= speedWindow {
		first++
	}
	next.points = next.points[first:]
	return next
}

// rateBetween is recipients a second between two points.
func rateBetween(a, b point) float64 {
	took := b.at.Sub(a.at).Seconds()
	if took <= 0 {
		return 0
	}
	return max(0, float64(b.ended-a.ended)/took)
}

// Now is the rate of the last ten seconds. The time before the first recipient ends does not count.
func (s Speed) Now() float64 {
	n := len(s.points)
	if n < 2 {
		return 0
	}
	first := max(0, n-3, s.lastIdle())
	return rateBetween(s.points[first], s.points[n-1])
}

// lastIdle is the last of the first points at which no other recipient had ended. It is -1 without
// points.
func (s Speed) lastIdle() int {
	for i, p := range s.points {
		if p.ended != s.points[0].ended {
			return i - 1
		}
	}
	return len(s.points) - 1
}

// movedFor is how long recipients have been ending.
func (s Speed) movedFor() time.Duration {
	idle := s.lastIdle()
	if idle < 0 {
		return 0
	}
	return s.points[len(s.points)-1].at.Sub(s.points[idle].at)
}

// Series is the rate of each step, oldest first.
func (s Speed) Series() []float64 {
	rates := make([]float64, 0, len(s.points))
	for i := 1; i < len(s.points); i++ {
		rates = append(rates, rateBetween(s.points[i-1], s.points[i]))
	}
	return rates
}

// bandAfter is how long a rate is measured before it is used for a forecast.
const bandAfter = 10 * time.Second

// Band is the shortest and the longest time in which so many end, by the fastest and the slowest
// tenth of the last minute. ok is false while too little is known.
func (s Speed) Band(left int64) (short, long time.Duration, ok bool) {
	n := len(s.points)
	if n < 3 || left <= 0 || s.points[n-1].at.Sub(s.from) < bandAfter {
		return 0, 0, false
	}
	rates := s.Series()
	rates = slices.Clone(rates[max(0, len(rates)-12):])
	slices.Sort(rates)
	slow, fast := rates[len(rates)/10], rates[len(rates)-1-len(rates)/10]
	if mean := s.Now(); slow <= 0 {
		slow = mean / 2
	}
	if slow <= 0 || fast <= 0 {
		return 0, 0, false
	}
	span := func(rate float64) time.Duration { return time.Duration(float64(left) / rate * float64(time.Second)) }
	return span(fast), span(slow), true
}
