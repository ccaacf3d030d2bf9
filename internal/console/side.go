package console

import (
	"fmt"
	"slices"
	"time"

	"fanfare/internal/fleet"
	"fanfare/internal/operator"
)

// side is the menu with its counts, and the card of the present minute.
type side struct {
	Campaigns int
	Dead      int64
	// Quota is how much of the present minute's quota is used.
	Quota    bool // whether the pace is known
	Used     bar
	UsedText string
	Gate     string
	GateTone string
	// The running processes. A tone marks that none runs while something waits for one.
	Dispatchers, Responders       int
	DispatcherTone, ResponderTone string
}

func (c *Console) sideOf(s *Snapshot) side {
	out := side{Campaigns: len(s.Campaigns), Dead: s.Backlog.DeadLetters}
	out.countFleet(s)
	used, allowed := s.minute()
	if allowed == 0 {
		return out
	}
	out.Quota = true
	out.UsedText, out.Used = share(used, allowed), minuteBarTo(used, allowed)
	out.Gate, out.GateTone = gatesText(s)
	return out
}

func (out *side) countFleet(s *Snapshot) {
	for _, p := range s.Fleet {
		if p.Role == fleet.Dispatcher {
			out.Dispatchers++
		} else {
			out.Responders++
		}
	}
	hasWork := func(v operator.View) bool { return v.Books.CountOpen() > 0 }
	if out.Dispatchers == 0 && slices.ContainsFunc(s.around.Running, hasWork) {
		out.DispatcherTone = "is-broken"
	}
	if out.Responders == 0 && s.Backlog.Results > 0 {
		out.ResponderTone = "is-broken"
	}
}

// gatesText says whether the project sends; of several, how many do not.
func gatesText(s *Snapshot) (text, tone string) {
	stopped := 0
	for _, each := range s.Projects {
		if each.Pace == nil {
			continue
		}
		hold := operator.FindHold(*each.Pace)
		if len(s.Projects) == 1 {
			return gateText(hold, s.At)
		}
		if hold == nil {
			continue
		}
		stopped++
		if _, worse := gateText(hold, s.At); tone != "is-broken" {
			tone = worse
		}
	}
	if stopped == 0 {
		return "all open", ""
	}
	return fmt.Sprintf("%d of %d stopped", stopped, len(s.Projects)), tone
}

// gateText says in a word or two whether the project sends.
func gateText(h *operator.Hold, now time.Time) (text, tone string) {
	switch {
	case h == nil:
		return "open", ""
	case h.Cause == operator.CauseHalt:
		return "halted", "is-broken"
	case h.Cause == operator.CauseQuarterHour:
		return "quarter hour", "is-held"
	}
	return "closed for " + span(h.Until.Sub(now)), "is-held"
}

// totalRate is recipients ended a second in all campaigns.
func (s *Snapshot) totalRate() float64 {
	total := 0.0
	for i := range s.Campaigns {
		total += s.Campaigns[i].Speed.Now()
	}
	return total
}
