package preflight

import (
	"math"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
)

// arrival is when the last of so many pushes goes, and how many of others go before it. A rival with a cap of its own takes no
// more in that time than the cap lets it: from the longest time that this may be, the estimate comes down to what holds.
func arrival(state pacing.State, spec campaign.Spec, pushes int64, rivals []rival) (others int64, ends time.Time) {
	took := math.Inf(1)
	for {
		others = 0
		for _, r := range rivals {
			others += r.before(spec, pushes, took)
		}
		ends = state.ETA(pushes+others, 0)
		if own := state.ETA(pushes, spec.Rate); own.After(ends) {
			ends = own
		}
		if ends.IsZero() {
			return others, ends
		}
		next := ends.Sub(state.Now).Seconds()
		if took-next < max(1, took/1000) {
			return others, ends
		}
		took = next
	}
}

// before is how many of a rival's pushes go before the last one of a campaign that takes so many seconds: all of a higher
// priority's, its share by weight in the same one.
func (r rival) before(spec campaign.Spec, pushes int64, seconds float64) int64 {
	n := float64(r.pushes)
	switch {
	case r.priority < spec.Priority:
		return 0
	case r.priority == spec.Priority:
		n = min(n, float64(pushes)*float64(r.weight)/float64(max(1, spec.Weight)))
	}
	if r.rate > 0 {
		n = min(n, math.Ceil(r.rate*seconds))
	}
	return int64(n)
}

// late is how many pushes would go only after the deadline: as many as have to be left out for the rest to be in time.
func late(state pacing.State, spec campaign.Spec, pushes int64, rivals []rival, deadline time.Time) int64 {
	inTime, tooMany := int64(0), pushes
	for inTime+1 < tooMany {
		middle := inTime + (tooMany-inTime)/2
		if _, ends := arrival(state, spec, middle, rivals); ends.After(deadline) {
			tooMany = middle
		} else {
			inTime = middle
		}
	}
	return pushes - inTime
}
