package pacing

import (
	"math"
	"time"
)

// ETA tells when the last of so many pushes would go, if they began now and nobody else sent any: with the ramp, the gate and
// the avoided quarter hours. rate is what the campaign itself may send a second, 0 for as much as the project may. The zero
// time is never: the project is halted.
func (s State) ETA(pushes int64, rate float64) time.Time {
	if len(s.Halts) > 0 {
		return time.Time{}
	}
	p := s.Settings.profile()
	if rate > 0 {
		p = p.capped(rate)
	}
	at, warm := s.Now.Add(s.Lead), s.Warm
	if s.Gate.Closed(s.Now) {
		at, warm = later(at, s.Gate.Until), 0
	}
	place := min(warm*float64(s.Settings.Ramp.Microseconds()), p.ramp)
	left := max(0, float64(pushes)-1) // the last one goes when the one before it has had its interval
	if !s.Settings.AvoidQuarterHours {
		return at.Add(duration(p.span(place, left)))
	}
	return s.between(p, at, place, left)
}

// between is when the last push goes that has so many before it, none of them within the avoided minutes.
func (s State) between(p profile, at time.Time, place, left float64) time.Time {
	for before := math.NaN(); ; {
		opens := opening(at)
		place = cool(place/max(p.ramp, 1), opens.Sub(at), s.idle) * p.ramp
		at = opens
		room := float64(closing(at).Sub(at).Microseconds())
		fit := math.Ceil(p.count(place, room)) // one goes at the very beginning
		if left < fit {
			return at.Add(duration(p.span(place, left)))
		}
		// Where one window is like the one before, so are all to come.
		windows := 1.0
		if place == before && at.Equal(at.Truncate(quarter).Add(away)) {
			windows = max(1, math.Floor(left/fit))
		}
		before = place
		left -= windows * fit
		at = closing(at).Add(duration((windows - 1) * float64(quarter.Microseconds())))
		place = min(p.ramp, place+room)
	}
}

// duration is so many µs, or as long as can be said.
func duration(us float64) time.Duration {
	if us >= math.MaxInt64/1000 {
		return math.MaxInt64
	}
	return time.Duration(us * 1000)
}
