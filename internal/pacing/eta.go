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

// The minutes that Google asks senders to stay out of: two on either side of each quarter of an hour. What is spent late
// stays out of them too, hence the second.
const (
	quarter = 15 * time.Minute
	away    = 2 * time.Minute
	grace   = time.Second
)

// opening is t, or the end of the avoided minutes that t lies in.
func opening(t time.Time) time.Time {
	into := t.Sub(t.Truncate(quarter))
	switch {
	case into < away:
		return t.Add(away - into)
	case into >= quarter-away-grace:
		return t.Add(quarter + away - into)
	}
	return t
}

// Avoids is the end of the minutes around a quarter hour that the project stays out of now; zero where it is in none.
func (s State) Avoids() time.Time {
	if opens := opening(s.Now); s.Settings.AvoidQuarterHours && opens.After(s.Now) {
		return opens
	}
	return time.Time{}
}

// closing is when the next avoided minutes after an open instant begin.
func closing(t time.Time) time.Time { return t.Truncate(quarter).Add(quarter - away - grace) }

// QuarterHours are those around which pushes go that go between two instants, unless they are avoided.
func QuarterHours(from, to time.Time) []time.Time {
	var all []time.Time
	for at := from.Add(-away).Truncate(quarter); !at.After(to.Add(away)); at = at.Add(quarter) {
		if at.Add(away).After(from) {
			all = append(all, at)
		}
	}
	return all
}
