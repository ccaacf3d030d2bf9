package pacing

import "math"

// profile is how the pace grows: linearly over the ramp, at the rate of the ramp's first second before it, so that it ever
// begins. Times are µs. lua/lease.lua does the same sums; the conformance tests hold the two together.
type profile struct {
	interval float64 // from one push to the next at full rate
	ramp     float64
}

func (s Settings) profile() profile {
	return profile{interval: s.interval(), ramp: float64(s.Ramp.Microseconds())}
}

// capped is the profile of pushes that have a rate of their own, in pushes a second: the same slope, which ends sooner.
func (p profile) capped(rate float64) profile {
	interval := 1e6 / rate
	if rate <= 0 || interval <= p.interval {
		return p
	}
	return profile{interval: interval, ramp: p.ramp * p.interval / interval}
}

func (p profile) floor() float64 { return min(1e6, p.ramp) }

// rate is how many pushes go in a µs at a place of the ramp.
func (p profile) rate(place float64) float64 {
	if p.ramp == 0 {
		return 1 / p.interval
	}
	return max(min(place, p.ramp), p.floor()) / p.ramp / p.interval
}

// span is how long n pushes take from a place of the ramp on.
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

// count is how many pushes go within a time, from a place of the ramp on: what span is of, the other way round.
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
