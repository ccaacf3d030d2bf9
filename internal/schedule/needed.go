package schedule

import (
	"slices"
	"time"
)

// Unsent is how many recipients of the waves are left when their last turns close.
func Unsent(planned []Planned) (n int64) {
	for _, p := range planned {
		n += p.Unsent
	}
	return n
}

// Needed says what would make all waves fit: each alone is enough.
type Needed struct {
	Wider time.Duration // how much longer the turns would have to be; 0: no length within a day is enough
	Rate  float64       // the full pace in pushes a second; 0: no pace within a hundredfold is enough
}

// FindNeeded searches for what would make the waves fit that do not.
func FindNeeded(now time.Time, quota Quota, own Sender, others []Sender) (n Needed) {
	const finest, longest, most = time.Minute, 24 * time.Hour, 100
	fits := func(wider time.Duration, factor float64) bool {
		better, more := own.widen(wider), quota
		more.Rate *= factor
		return Unsent(Plan(now, more, better, others)) == 0
	}
	if fits(longest, 1) {
		low, high := time.Duration(0), longest
		for high-low > finest {
			if middle := ((low + high) / 2).Round(finest); fits(middle, 1) {
				high = middle
			} else {
				low = middle
			}
		}
		n.Wider = high
	}
	if fits(0, most) {
		low, high := 1.0, float64(most)
		for high-low > low/100 {
			if middle := (low + high) / 2; fits(0, middle) {
				high = middle
			} else {
				low = middle
			}
		}
		n.Rate = quota.Rate * high
	}
	return n
}

// widen returns a sender whose turns are so much longer, up to its deadline.
func (s Sender) widen(by time.Duration) Sender {
	s.Waves = slices.Clone(s.Waves)
	later := func(t Turn) Turn {
		if t.Closes.IsZero() {
			return t
		}
		if t.Closes = t.Closes.Add(by); !s.Deadline.IsZero() && t.Closes.After(s.Deadline) {
			t.Closes = s.Deadline
		}
		return t
	}
	for i, wave := range s.Waves {
		closed := make(map[time.Time]time.Time) // by when the longer turn closes
		s.Waves[i].Turn = later(wave.Turn)
		closed[s.Waves[i].Closes] = wave.Closes
		if wave.Next == nil {
			continue
		}
		s.Waves[i].Next = func(closes time.Time) (Turn, bool) {
			turn, ok := wave.Next(closed[closes])
			longer := later(turn)
			closed[longer.Closes] = turn.Closes
			return longer, ok
		}
	}
	return s
}
