package inflight

import (
	"math"
	"time"
)

const (
	// boldFactor and gentleFactor are the factors of a step up. The bold one serves while the limit
	// is known to be too low, the gentle one for an occasional test.
	boldFactor, gentleFactor = 2, 1.25
	// brakeFactor is the factor of a step down on overload.
	brakeFactor = 0.7
	// toleratedShare is the share of refusals that does not count as overload.
	toleratedShare = 0.02
	// queueFactor is the factor over the base latency from which a queue is suspected.
	queueFactor = 1.2
	// followedAll and followedNone are the shares of a step that throughput followed, or did not.
	followedAll, followedNone = 0.7, 0.3
	// spareFactor is kept above the limit at which throughput stopped growing, so that the service
	// never runs dry.
	spareFactor = 1.05
	// shiftFactor is the factor by which latency or throughput must change to end a rest.
	shiftFactor = 1.5
	// After a search the limit rests for restTrips round trips, and at least restTime, because a
	// search costs throughput or latency.
	restTime, restTrips = 3 * time.Second, 30
)

// climber searches for the limit by hill climbing. A rise of latency alone is ambiguous. A slower
// service needs more requests in flight, and one with a queue needs fewer. Throughput decides:
// while the limit holds requests back, the climber takes a step and checks whether throughput
// follows. Otherwise throughput equals the demand, and there is nothing to find.
type climber struct {
	min, max int

	base       time.Duration // latency without a queue, as far as known
	background float64       // share of refusals that there is anyway, whatever the limit
	used       float64       // in flight lately, at most

	settling bool    // the limit has just moved: answers under way are still those of before
	from     point   // where the step under way began; zero: none is
	stride   float64 // the next step up
	down     bool    // the next step is down
	rest     point   // what was measured when the rest began; zero: not yet
	until    time.Time
}

// next returns the limit that follows from a sample taken at this one.
func (c *climber) next(limit int, s sample) int {
	here := point{limit: limit, rate: s.rate, latency: s.latency}
	switch {
	case c.isOverloaded(s):
		c.startRest(s)
		return c.move(limit, brakeFactor*float64(min(limit, s.peak)))
	case !s.pressed:
		return c.handleUnpressed(here, s)
	case c.settling:
		c.settling = false
		return limit
	case c.from.limit > 0:
		return c.evaluate(here, s)
	case c.isResting(here, s.at):
		return limit
	default:
		return c.step(here, s)
	}
}

// isOverloaded reports whether refusals follow from the load. A constant share of them comes
// anyway, and a lower limit would not end those. It allows for chance. A service that refuses
// everything is overloaded, however long that lasts.
func (c *climber) isOverloaded(s sample) bool {
	if s.refused == s.answers {
		return true
	}
	expected := 1.2 * c.background * float64(s.answers)
	over := float64(s.refused) > expected+3*math.Sqrt(expected)+toleratedShare*float64(s.answers)
	c.background += (s.share() - c.background) / 5
	return over
}

// handleUnpressed handles a sample in which the limit held nothing back. After a step up, either
// demand is met or the new room still fills. In the latter case a queue takes it, and throughput
// has not followed.
func (c *climber) handleUnpressed(here point, s sample) int {
	if up := c.from.limit > 0 && here.limit > c.from.limit; up && c.settling {
		c.settling = false
		return here.limit
	} else if up {
		filled := here
		filled.limit = int(here.rate * here.latency.Seconds())
		if filled.limit > int(spareFactor*float64(c.from.limit)) && followedShare(c.from, filled) <= followedNone {
			return c.descend(here, c.from, s)
		}
	}
	return c.trackDemand(here, s.peak)
}

// trackDemand follows the used number and keeps as much again to spare, because no one has tested
// a higher limit.
func (c *climber) trackDemand(here point, peak int) int {
	c.from, c.until, c.settling, c.down, c.stride = point{}, time.Time{}, false, false, boldFactor
	if c.base == 0 {
		c.base = here.latency
	}
	c.base += (here.latency - c.base) / smoothing(here.latency > c.base)
	c.used = max(float64(peak), c.used-(c.used-float64(peak))/16)
	if over := float64(here.limit) - 2*c.used; over > 0 {
		return c.clamp(float64(here.limit) - over/16)
	}
	return here.limit
}

// smoothing lets the base fall fast and rise slowly, because a queue may be what raises it.
func smoothing(rises bool) time.Duration {
	if rises {
		return 64
	}
	return 8
}

// step begins a step from here.
func (c *climber) step(here point, s sample) int {
	if c.down || here.limit == c.max {
		if !c.isCrowded(here) {
			c.startRest(s)
			return here.limit
		}
		c.from = here
		guess := float64(c.base) / float64(here.latency) * spareFactor
		return c.move(here.limit, float64(here.limit)*max(0.5, min(guess, 0.9)))
	}
	c.from = here
	return c.move(here.limit, float64(here.limit)*c.stride)
}

// evaluate judges a step.
func (c *climber) evaluate(here point, s sample) int {
	from, low, high := c.from, c.from, here
	c.from = point{}
	if here.limit < from.limit {
		low, high = here, from
	}
	if high.limit == low.limit || low.rate == 0 {
		c.startRest(s)
		return here.limit
	}
	switch share := followedShare(low, high); {
	case share >= followedAll:
		c.base = low.latency
		if here.limit == low.limit {
			c.startRest(s)
			return c.move(here.limit, float64(high.limit))
		}
		c.base, c.stride = here.latency, min(boldFactor, gentleFactor*c.stride)
		return c.step(here, s)
	case share <= followedNone:
		return c.descend(here, low, s)
	default:
		c.base = low.latency
		c.startRest(s)
		return c.move(here.limit, knee(low, high)*spareFactor)
	}
}

// descend returns to the lower limit, and continues down while a queue seems to exist.
func (c *climber) descend(here, low point, s sample) int {
	if !c.isCrowded(low) {
		c.startRest(s)
		return c.move(here.limit, float64(low.limit))
	}
	c.from, c.down = point{}, true
	if here.limit == low.limit {
		return c.step(here, s)
	}
	return c.move(here.limit, float64(low.limit))
}

// isCrowded reports whether a lower limit would probably do.
func (c *climber) isCrowded(p point) bool {
	return float64(p.latency) > queueFactor*float64(c.base)
}

// startRest begins a rest.
func (c *climber) startRest(s sample) {
	c.from, c.rest, c.down, c.stride = point{}, point{}, false, gentleFactor
	c.until = s.at.Add(max(restTime, restTrips*s.latency))
}

// isResting reports whether the limit still rests. A rest ends with its time, or when the service
// changes.
func (c *climber) isResting(here point, now time.Time) bool {
	if !now.Before(c.until) {
		return false
	}
	if c.rest.limit == 0 {
		c.rest = here
	}
	if areApart(here.rate, c.rest.rate) || areApart(float64(here.latency), float64(c.rest.latency)) {
		c.until = time.Time{}
		return false
	}
	return true
}

// move sets another limit. The answers of the next round trip still belong to the old one.
func (c *climber) move(limit int, to float64) int {
	next := c.clamp(to)
	c.settling = next != limit
	return next
}

func (c *climber) clamp(to float64) int { return max(c.min, min(c.max, int(to+0.5))) }

// point is a measurement at a limit.
type point struct {
	limit   int
	rate    float64
	latency time.Duration
}

// knee returns the limit at which throughput stops growing: it grows with the limit below, and not
// at all above.
func knee(low, high point) float64 { return float64(low.limit) * high.rate / low.rate }

// followedShare returns the share of a step that throughput followed.
func followedShare(low, high point) float64 {
	return (knee(low, high) - float64(low.limit)) / float64(high.limit-low.limit)
}

// areApart reports whether one figure is at least shift times the other.
func areApart(a, b float64) bool { return a > b*shiftFactor || b > a*shiftFactor }
