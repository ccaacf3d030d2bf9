package console

import (
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// Firebase grants a quota by the minute. What counts against it are requests: a recipient with
// three devices is three, and one that is refused for now counts again.

// pushing are the campaigns that may have used the quota of the present minute.
func (s *Snapshot) pushing() (ids []string) {
	for i := range s.Campaigns {
		each := &s.Campaigns[i]
		if each.Spec.State == campaign.Running || each.Books.InFlight > 0 || s.At.Sub(each.Spec.FinishedAt) < time.Minute {
			ids = append(ids, each.Spec.ID)
		}
	}
	return ids
}

// minuteOf returns the requests of a project in the present minute, and how many may be made. A
// campaign without a project counts for the only one.
func (s *Snapshot) minuteOf(p projectState) (used, allowed int64) {
	for id, n := range s.pushed {
		if each := s.find(id); each != nil && s.isOf(each, p.ID) {
			used += n
		}
	}
	if p.Pace != nil {
		allowed = int64(p.Pace.Settings.Rate() * time.Minute.Seconds())
	}
	return used, allowed
}

// minute is minuteOf all projects whose pace is known.
func (s *Snapshot) minute() (used, allowed int64) {
	for _, each := range s.Projects {
		if each.Pace == nil {
			continue
		}
		own, may := s.minuteOf(each)
		used, allowed = used+own, allowed+may
	}
	return used, allowed
}

func minuteBarTo(used, allowed int64) bar {
	return barTo("f-ink", operator.Thousands(used)+" of the "+operator.Thousands(allowed)+" pushes of this minute are used", used, allowed)
}
