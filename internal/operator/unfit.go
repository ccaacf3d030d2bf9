package operator

import (
	"fmt"
	"math"
	"strings"
	"time"

	"fanfare/internal/terminal"
)

// UnfitError refuses to start a campaign whose waves do not fit into their windows.
type UnfitError struct {
	ID        string
	Plan      *WavePlan
	Scheduled bool // it was to start by itself later
	Changed   bool // it does so already, and was to change
}

func (e *UnfitError) Error() string {
	verb := "started"
	switch {
	case e.Changed:
		verb = "changed"
	case e.Scheduled:
		verb = "scheduled"
	}
	return fmt.Sprintf("campaign %s is not %s: %s; %s", terminal.Printable(e.ID), verb, e.Plan.Describe(), e.Plan.Advice())
}

// namedWaves limits the waves that one sentence names.
const namedWaves = 3

// Fits reports whether the waves fit into their windows, and most recipients have one. Some may be
// in zones whose windows open after the deadline, and end as expired. If most are, the times are
// wrong.
func (p *WavePlan) Fits() bool {
	all := p.NoTurn
	for _, w := range p.Waves {
		all += w.N
	}
	return p.Unfit == 0 && 2*p.NoTurn <= all
}

// Describe says who is not sent to in time: waves that do not fit, and recipients without a turn.
func (p *WavePlan) Describe() string {
	var problems []string
	if p.Unfit > 0 {
		problems = append(problems, p.describeUnfit())
	}
	if p.NoTurn > 0 {
		problems = append(problems, fmt.Sprintf("about %s recipients have no window left before the deadline", Thousands(p.NoTurn)))
	}
	if p.Expired > 0 {
		problems = append(problems, fmt.Sprintf("about %s recipients would end as expired", Thousands(p.Expired)))
	}
	if each := p.DescribePushes(); each != "" && p.Unfit > 0 {
		problems = append(problems, each)
	}
	return strings.Join(problems, "; ")
}

// DescribePushes says how many pushes a recipient gets; "" for one.
func (p *WavePlan) DescribePushes() string { return DescribePushes(p.PushesEach) }

// DescribePushes says that the quota counts more than recipients; "" if each gets one push.
func DescribePushes(each float64) string {
	if each < 1.05 {
		return ""
	}
	return "a recipient gets about " + Decimal(math.Round(10*each)/10) + " pushes, one for each device, and the quota counts pushes"
}

// describeUnfit names the waves that do not fit.
func (p *WavePlan) describeUnfit() string {
	var named []string
	unfit := 0
	for _, w := range p.Waves {
		if w.Unsent == 0 {
			continue
		}
		if unfit++; unfit <= namedWaves {
			named = append(named, fmt.Sprintf("%s of %s at %s (%s)", Thousands(w.Unsent), Thousands(w.N), LocalTime(w.Opens), w.ZonesText()))
		}
	}
	text := fmt.Sprintf("%d of %d waves do not fit: too late for %s", unfit, len(p.Waves), strings.Join(named, ", "))
	if more := unfit - len(named); more > 0 {
		text += fmt.Sprintf(", and %d more", more)
	}
	return text
}

// ZonesText names the zones of a wave: all of two, and else the first.
func (w PlannedWave) ZonesText() string {
	if len(w.Zones) > 2 {
		return fmt.Sprintf("%s and %d more zones", w.Zones[0], len(w.Zones)-1)
	}
	return strings.Join(w.Zones, ", ")
}

// Advice says what would have every recipient sent to in time.
func (p *WavePlan) Advice() string {
	var steps []string
	if p.Unfit > 0 {
		steps = append(steps, p.adviceForUnfit())
	}
	if p.NoTurn > 0 {
		steps = append(steps, "those without a window need a later deadline, other windows or another local time")
	}
	return strings.Join(steps, "; ")
}

// adviceForUnfit says what would make the waves fit.
func (p *WavePlan) adviceForUnfit() string {
	var ways []string
	if p.WiderMinutes > 0 {
		ways = append(ways, fmt.Sprintf("windows that are %s longer", Span(time.Duration(p.WiderMinutes)*time.Minute)))
	}
	if p.PerMinute > 0 {
		ways = append(ways, fmt.Sprintf("a quota of %s a minute", Thousands(p.PerMinute)))
	}
	if len(ways) == 0 {
		return "neither wider windows nor a higher quota would be enough: split the audience"
	}
	return "they fit with " + strings.Join(ways, ", or ")
}
