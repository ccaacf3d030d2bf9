package inflight

import (
	"math"
	"time"
)

const (
	// bold and gentle are the factors of a step up: while the limit is known to be too low, and from time to time to see whether it is.
	bold, gentle = 2, 1.25
	// brake is the factor of a step down on overload.
	brake = 0.7
	// tolerated is the share of refusals that is no overload.
	tolerated = 0.02
	// queued is how much longer than without a queue answers take before a queue is suspected.
	queued = 1.2
	// all and none are the shares of a step that throughput has followed or has not.
	all, none = 0.7, 0.3
	// spare is left above the number at which throughput was seen to end, so that the service never runs dry.
	spare = 1.05
	// shift is the factor by which latency or throughput must change to end a rest.
	shift = 1.5
	// After a search the limit rests for restTrips round trips, at least restTime: searching costs throughput or latency.
	restTime, restTrips = 3 * time.Second, 30
)

// climber looks for the limit. A rise of latency alone does not tell a service that got slower for everybody, which needs more
// requests in flight, from one with a queue, which needs fewer. Throughput does: where the limit holds requests back, it takes one
// step and sees whether throughput follows. Where the limit holds nothing back, throughput is what was asked for, and there
// is nothing to find.
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
	case c.overloaded(s):
		c.relax(s)
		return c.move(limit, brake*float64(min(limit, s.peak)))
	case !s.pressed:
		return c.unpressed(here, s)
	case c.settling:
		c.settling = false
		return limit
	case c.from.limit > 0:
		return c.judge(here, s)
	case c.resting(here, s.at):
		return limit
	default:
		return c.step(here, s)
	}
}

// overloaded tells refusals that follow from the load from those that come anyway: slowing down does not end the latter, and
// would go on without end. What chance adds to those is allowed for. A service that takes nothing at all has too much,
// however long that lasts.
func (c *climber) overloaded(s sample) bool {
	if s.refused == s.answers {
		return true
	}
	expected := 1.2 * c.background * float64(s.answers)
	over := float64(s.refused) > expected+3*math.Sqrt(expected)+tolerated*float64(s.answers)
	c.background += (s.share() - c.background) / 5
	return over
}

// unpressed means after a step up that demand is met, or that the new room is still filling up: then a queue takes it, and throughput
// has not followed.
func (c *climber) unpressed(here point, s sample) int {
	if up := c.from.limit > 0 && here.limit > c.from.limit; up && c.settling {
		c.settling = false
		return here.limit
	} else if up {
		filled := here
		filled.limit = int(here.rate * here.latency.Seconds())
		if filled.limit > int(spare*float64(c.from.limit)) && followed(c.from, filled) <= none {
			return c.descend(here, c.from, s)
		}
	}
	return c.idle(here, s.peak)
}

// idle follows what is used, with as much again to spare: a limit that was never tried is no knowledge.
func (c *climber) idle(here point, peak int) int {
	c.from, c.until, c.settling, c.down, c.stride = point{}, time.Time{}, false, false, bold
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

// smoothing lets the base sink fast and rise slowly: what makes it rise may be a queue.
func smoothing(rises bool) time.Duration {
	if rises {
		return 64
	}
	return 8
}

// step begins a step from here.
func (c *climber) step(here point, s sample) int {
	if c.down || here.limit == c.max {
		if !c.crowded(here) {
			c.relax(s)
			return here.limit
		}
		c.from = here
		guess := float64(c.base) / float64(here.latency) * spare
		return c.move(here.limit, float64(here.limit)*max(0.5, min(guess, 0.9)))
	}
	c.from = here
	return c.move(here.limit, float64(here.limit)*c.stride)
}

// judge looks at what a step has brought.
func (c *climber) judge(here point, s sample) int {
	from, low, high := c.from, c.from, here
	c.from = point{}
	if here.limit < from.limit {
		low, high = here, from
	}
	if high.limit == low.limit || low.rate == 0 {
		c.relax(s)
		return here.limit
	}
	switch share := followed(low, high); {
	case share >= all:
		c.base = low.latency
		if here.limit == low.limit {
			c.relax(s)
			return c.move(here.limit, float64(high.limit))
		}
		c.base, c.stride = here.latency, min(bold, gentle*c.stride)
		return c.step(here, s)
	case share <= none:
		return c.descend(here, low, s)
	default:
		c.base = low.latency
		c.relax(s)
		return c.move(here.limit, knee(low, high)*spare)
	}
}

// descend stays at the lower limit, and goes on down while there seems to be a queue.
func (c *climber) descend(here, low point, s sample) int {
	if !c.crowded(low) {
		c.relax(s)
		return c.move(here.limit, float64(low.limit))
	}
	c.from, c.down = point{}, true
	if here.limit == low.limit {
		return c.step(here, s)
	}
	return c.move(here.limit, float64(low.limit))
}

// crowded suspects that fewer would do.
func (c *climber) crowded(p point) bool {
	return float64(p.latency) > queued*float64(c.base)
}

// relax begins a rest.
func (c *climber) relax(s sample) {
	c.from, c.rest, c.down, c.stride = point{}, point{}, false, gentle
	c.until = s.at.Add(max(restTime, restTrips*s.latency))
}

// resting ends when its time is over, or when the service has changed.
func (c *climber) resting(here point, now time.Time) bool {
	if !now.Before(c.until) {
		return false
	}
	if c.rest.limit == 0 {
		c.rest = here
	}
	if apart(here.rate, c.rest.rate) || apart(float64(here.latency), float64(c.rest.latency)) {
		c.until = time.Time{}
		return false
	}
	return true
}

// move sets another limit; the answers of the next round trip are still those of the old one.
func (c *climber) move(limit int, to float64) int {
	next := c.clamp(to)
	c.settling = next != limit
	return next
}

func (c *climber) clamp(to float64) int { return max(c.min, min(c.max, int(to+0.5))) }

// point is what was measured at a limit.
type point struct {
	limit   int
	rate    float64
	latency time.Duration
}

// knee is the limit at which throughput ended to grow: below it, throughput grows with the limit, above it not at all.
func knee(low, high point) float64 { return float64(low.limit) * high.rate / low.rate }

// followed is how much of a step throughput has followed, as a share of it.
func followed(low, high point) float64 {
	return (knee(low, high) - float64(low.limit)) / float64(high.limit-low.limit)
}

// apart tells that one of two figures is shift times the other, or more.
func apart(a, b float64) bool { return a > b*shift || b > a*shift }
