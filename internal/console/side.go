package console

import (
	"fmt"
	"time"

	"fanfare/internal/operator"
)

// side is the menu with its counts, and the card of the present minute.
type side struct {
	Campaigns int
	Dead      int64
	// Quota is how much of the quota is sent now.
	Quota    bool // whether the pace is known
	Used     bar
	UsedText string
	Gate     string
	GateTone string
}

func (c *Console) sideOf(s *Snapshot) side {
	out := side{Campaigns: len(s.Campaigns), Dead: s.Backlog.DeadLetters}
	limit, now := s.fullRate(), s.totalRate()
	if limit == 0 {
		return out
	}
	out.Quota = true
	out.UsedText = share(int64(now), int64(limit))
	out.Used = barTo("f-ink", rate(now)+" of "+rate(limit)+" a second", int64(now), int64(limit))
	out.Gate, out.GateTone = gatesText(s)
	return out
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
