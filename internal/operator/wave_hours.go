package operator

import (
	"math"
	"time"

	"fanfare/internal/schedule"
)

// PlannedHour is an hour of a plan.
type PlannedHour struct {
	From time.Time `json:"from"`
	N    int64     `json:"n"`    // recipients who are sent to in it
	Open bool      `json:"open"` // a window of someone is open in it
	// Unsent are recipients who are left when their turn closes in this hour.
	Unsent int64 `json:"unsent,omitempty"`
}

// maxPlannedHours limits the hours of a plan. What comes later is counted in the last one.
const maxPlannedHours = 14 * 24

// addHours sums up the waves by hour. The hours and the recipients who do not fit add up to all who
// have a turn. Those who have a later turn are counted there.
func (p *WavePlan) addHours(planned []schedule.Planned) {
	first, last := hoursOf(planned)
	if first.IsZero() {
		return
	}
	n := min(int(last.Sub(first)/time.Hour)+1, maxPlannedHours)
	p.Hours = make([]PlannedHour, n)
	sums := make([]float64, n)
	index := func(at time.Time) int { return min(max(0, int(at.Sub(first)/time.Hour)), n-1) }
	for _, w := range planned {
		for from, sent := range w.Hours {
			sums[index(from)] += sent
		}
		if w.Unsent > 0 {
			p.Hours[index(endOf(w).Add(-time.Nanosecond))].Unsent += w.Unsent
		}
		closes := w.Closes
		if closes.IsZero() {
			closes = last.Add(time.Hour)
		}
		for i := index(w.Opens); i <= index(closes.Add(-time.Nanosecond)); i++ {
			p.Hours[i].Open = true
		}
	}
	before, total := int64(0), 0.0
	for i := range p.Hours {
		total += sums[i]
		upTo := int64(math.Round(total)) // rounded together, so that the sum is that of all
		p.Hours[i].From, p.Hours[i].N = first.Add(time.Duration(i)*time.Hour), upTo-before
		before = upTo
	}
}

// hoursOf returns the hour in which the first wave opens, and that in which the last one ends.
func hoursOf(planned []schedule.Planned) (first, last time.Time) {
	for _, w := range planned {
		from, until := w.Opens.UTC().Truncate(time.Hour), endOf(w).Add(-time.Nanosecond).UTC().Truncate(time.Hour)
		if first.IsZero() || from.Before(first) {
			first = from
		}
		if until.After(last) {
			last = until
		}
	}
	return first, last
}

// endOf is when a wave is over: when its last push goes, or when its turn closes if someone is
// left. A wave without an end gets an hour.
func endOf(w schedule.Planned) time.Time {
	switch {
	case w.Unsent == 0 && w.Ends.After(w.Opens):
		return w.Ends
	case !w.Closes.IsZero():
		return w.Closes
	}
	return w.Opens.Add(time.Hour)
}
