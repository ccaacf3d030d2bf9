package pacing

import "math"

// profile describes the ramp. The pace grows linearly over it. Before the ramp's first second it is
// that second's rate, so that it ever begins. Times are in µs. lua/lease.lua does the same
// arithmetic, and the conformance tests compare the two.
type profile struct {
	interval float64 // from one push to the next at full rate
	ramp     float64
}

func (s Settings) profile() profile {
	return profile{interval: s.interval(), ramp: float64(s.Ramp.Microseconds())}
}

// withRate returns the profile of pushes with their own rate a second. It has the same slope and
// ends sooner.
func (p profile) withRate(rate float64) profile {
	interval := 1e6 / rate
	if rate <= 0 || interval <= p.interval {
		return p
	}
	return profile{interval: interval, ramp: p.ramp * p.interval / interval}
}

func (p profile) floor() float64 { return min(1e6, p.ramp) }

// rate returns the pushes per µs at a place of the ramp.
func (p profile) rate(place float64) float64 {
	if p.ramp == 0 {
		return 1 / p.interval
	}
	return max(min(place, p.ramp), p.floor()) / p.ramp / p.interval
}

// span returns how long n pushes take from a place of the ramp on.
func (p profile) span(place, n float64) float64 {
	took, floor := 0.0, p.floor()
	if place < floor {
		rate := floor / (p.interval * p.ramp)
		if n <= (floor-place)*rate {
			return n / rate
		}
		n, took, place = n-(floor-place)*rate, floor-place, floor
	}
	if place < p.ramp {
		to := math.Sqrt(place*place + 2*n*p.interval*p.ramp)
		if to <= p.ramp {
			return took + to - place
		}
		n, took = n-(p.ramp*p.ramp-place*place)/(2*p.interval*p.ramp), took+p.ramp-place
	}
	return took + n*p.interval
}

// count returns how many pushes go within a time from a place of the ramp on. It is the inverse of
// span.
func (p profile) count(place, time float64) float64 {
	n, floor := 0.0, p.floor()
	if place < floor {
		rate := floor / (p.interval * p.ramp)
		if time <= floor-place {
			return time * rate
		}
		n, time, place = (floor-place)*rate, time-(floor-place), floor
	}
	if place < p.ramp {
		to := min(place+time, p.ramp)
		n, time = n+(to*to-place*place)/(2*p.interval*p.ramp), time-(to-place)
	}
	return n + time/p.interval
}
