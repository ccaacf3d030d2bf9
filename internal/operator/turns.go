package operator

import (
	"strings"
	"time"

	"fanfare/internal/campaign"
)

// soon is how far ahead DescribeTurns looks.
const soon = time.Hour

// DescribeTurns says which zones have a window open now and when these close, and how many open
// within the hour; "" if neither is so. Zones in which no one waits do not count.
func (p *WavePlan) DescribeTurns(now time.Time) string {
	open, opening := make(map[string]bool), make(map[string]bool)
	var closes, opens time.Time
	for _, w := range p.Waves {
		switch {
		case !w.Opens.After(now) && (w.Closes.IsZero() || w.Closes.After(now)):
			addZones(open, w.Zones)
			closes = campaign.Earliest(closes, w.Closes)
		case w.Opens.After(now) && !w.Opens.After(now.Add(soon)):
			addZones(opening, w.Zones)
			opens = campaign.Earliest(opens, w.Opens)
		}
	}
	var parts []string
	if len(open) > 0 {
		text := count(int64(len(open)), "zone") + " open now"
		if !closes.IsZero() {
			text += ", the first closes at " + LocalTime(closes)
		}
		parts = append(parts, text)
	}
	if len(opening) > 0 {
		verb := " open within the hour, the first at "
		if len(opening) == 1 {
			verb = " opens within the hour, at "
		}
		parts = append(parts, count(int64(len(opening)), "zone")+verb+LocalTime(opens))
	}
	return strings.Join(parts, "; ")
}

func addZones(to map[string]bool, zones []string) {
	for _, zone := range zones {
		to[zone] = true
	}
}
