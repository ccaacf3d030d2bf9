package pacing

import (
	"math"
	"time"
)

// ETA returns when the last of so many pushes goes if they begin now and no one else sends. It
// counts in the ramp, the gate and the avoided quarter hours. rate is the campaign's own pushes a
// second, or 0 for none. It returns the zero time if the project is halted.
func (s State) ETA(pushes int64, rate float64) time.Time {
	if len(s.Halts) > 0 {
		return time.Time{}
	}
	p := s.Settings.profile()
	if rate > 0 {
		p = p.withRate(rate)
	}
	at, warm := s.Now.Add(s.Lead), s.Warm
	if s.Gate.IsClosed(s.Now) {
		at, warm = later(at, s.Gate.Until), 0
	}
	place := min(warm*float64(s.Settings.Ramp.Microseconds()), p.ramp)
	left := max(0, float64(pushes)-1) // the last push goes one interval after the one before it
	if !s.Settings.AvoidQuarterHours {
		return at.Add(duration(p.span(place, left)))
	}
	return s.between(p, at, place, left)
}

// between returns when the last push goes if none goes in the avoided minutes. left counts the
// pushes before it.
func (s State) between(p profile, at time.Time, place, left float64) time.Time {
	for before := math.NaN(); ; {
		opens := findOpening(at)
		place = cool(place/max(p.ramp, 1), opens.Sub(at), s.idle) * p.ramp
		at = opens
		room := float64(findClosing(at).Sub(at).Microseconds())
		fit := math.Ceil(p.count(place, room)) // one push goes at the very beginning
		if left < fit {
			return at.Add(duration(p.span(place, left)))
		}
		// Once a window equals the one before it, all later ones do too.
		windows := 1.0
		if place == before && at.Equal(at.Truncate(quarter).Add(away)) {
			windows = max(1, math.Floor(left/fit))
		}
		before = place
		left -= windows * fit
		at = findClosing(at).Add(duration((windows - 1) * float64(quarter.Microseconds())))
		place = min(p.ramp, place+room)
	}
}

// duration converts µs and saturates at the longest Duration.
func duration(us float64) time.Duration {
	if us >= math.MaxInt64/1000 {
		return math.MaxInt64
	}
	return time.Duration(us * 1000)
}

// Google asks senders to avoid two minutes on either side of each quarter hour. The extra second
// keeps late pushes out of them too.
const (
	quarter = 15 * time.Minute
	away    = 2 * time.Minute
	grace   = time.Second
)

// findOpening returns t, or the end of the avoided minutes around t.
func findOpening(t time.Time) time.Time {
	into := t.Sub(t.Truncate(quarter))
	switch {
	case into < away:
		return t.Add(away - into)
	case into >= quarter-away-grace:
		return t.Add(quarter + away - into)
	}
	return t
}

// AvoidedUntil returns the end of the avoided minutes that the project is in now, or the zero time.
func (s State) AvoidedUntil() time.Time {
	if opens := findOpening(s.Now); s.Settings.AvoidQuarterHours && opens.After(s.Now) {
		return opens
	}
	return time.Time{}
}

// findClosing returns when the next avoided minutes begin after an open instant.
func findClosing(t time.Time) time.Time { return t.Truncate(quarter).Add(quarter - away - grace) }

// OpenTime returns how much of a span may be used: what lies behind the gate, and outside the
// avoided minutes.
func (s State) OpenTime(from, until time.Time) (open time.Duration) {
	from = later(from, s.Gate.Until)
	for from.Before(until) {
		end := until
		if s.Settings.AvoidQuarterHours {
			from = findOpening(from)
			end = earlier(until, findClosing(from))
		}
		open += max(0, end.Sub(from))
		from = end
	}
	return open
}

// QuarterHours returns the quarter hours whose avoided minutes lie between two instants.
func QuarterHours(from, to time.Time) []time.Time {
	var all []time.Time
	for at := from.Add(-away).Truncate(quarter); !at.After(to.Add(away)); at = at.Add(quarter) {
		if at.Add(away).After(from) {
			all = append(all, at)
		}
	}
	return all
}
