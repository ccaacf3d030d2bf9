package console

import (
	"fmt"
	"strings"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// Bars are drawn in a box of 1000 by 10, sparklines in one of 88 by 24.
const (
	barWidth    = 1000.0
	minBar      = 4.0 // a loss of 0.01% can still be seen
	sparkWidth  = 88.0
	sparkHeight = 24.0
)

// bar is a row of parts beside each other.
type bar struct {
	Label string // for people who do not see it
	Parts []barPart
}

type barPart struct {
	Class    string
	X, Width float64
}

// count is one outcome of a campaign, in the order in which bars draw them.
type count struct {
	Name  string
	State string // class of its colour; "" for who waits
	Fill  string // class in a bar; "" is not drawn
	N     int64
}

// lossBars sets the bars of the funnel's losses. They have a scale of their own, on which the
// largest one is full: on that of the funnel a loss of 2% is a line.
func lossBars(stages []stage) {
	largest := int64(0)
	for _, s := range stages {
		for _, lost := range s.Lost {
			largest = max(largest, lost.N)
		}
	}
	for i := range stages {
		for _, lost := range stages[i].Lost {
			stages[i].Zoom = append(stages[i].Zoom, loss{lost, barTo("f-s", lost.Name+": "+operator.Thousands(lost.N)+", losses on a scale of their own", lost.N, largest)})
		}
	}
}

// countsOf returns all outcomes and open recipients of the books. Their sum is what was loaded, if
// the books balance.
func countsOf(b campaign.Books) []count {
	return []count{
		{"sent", "is-completed", "f-sent", b.Sent},
		{"failed", "is-broken", "f-failed", b.Failed},
		{"skipped", "is-cancelled", "f-skipped", b.Skipped},
		{"expired", "is-expired", "f-expired", b.Expired},
		{"unknown", "is-held", "f-unknown", b.Unknown},
		{"retrying", "is-paused", "f-retry", b.Retrying},
		{"in flight", "is-running", "f-flight", b.InFlight},
		{"waiting", "", "", b.Waiting},
		{"missing", "is-broken", "", b.Missing},
	}
}

// barOf draws the books. Small parts are widened, so the rest is scaled down to fit.
func barOf(b campaign.Books) bar {
	out := bar{Label: fmt.Sprintf("%s of %s ended", operator.Thousands(b.CountEnded()), operator.Thousands(b.Loaded))}
	var words []string
	x := 0.0
	for _, c := range countsOf(b) {
		if c.N == 0 {
			continue
		}
		words = append(words, operator.Thousands(c.N)+" "+c.Name)
		if c.Fill == "" || b.Loaded == 0 {
			continue
		}
		width := min(max(minBar, barWidth*float64(c.N)/float64(b.Loaded)), barWidth-x)
		out.Parts = append(out.Parts, barPart{c.Fill, x, width})
		x += width
	}
	if len(words) > 0 {
		out.Label += ": " + strings.Join(words, ", ")
	}
	return out
}

// barTo draws one part of a whole.
func barTo(class, label string, n, all int64) bar {
	out := bar{Label: label}
	if n > 0 && all > 0 {
		out.Parts = []barPart{{class, 0, min(barWidth, max(minBar, barWidth*float64(n)/float64(all)))}}
	}
	return out
}

// spark is a line of rates from a zero line.
type spark struct {
	Label string
	Path  string // "" if nothing was sent
}

func sparkOf(rates []float64) spark {
	highest := 0.0
	for _, r := range rates {
		highest = max(highest, r)
	}
	if highest == 0 || len(rates) < 2 {
		return spark{Label: "nothing was sent for five minutes"}
	}
	var path strings.Builder
	for i, r := range rates {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&path, "%s%.1f %.1f", command, sparkWidth*float64(i)/float64(len(rates)-1), sparkHeight-1-(sparkHeight-3)*r/highest)
	}
	return spark{Label: "about " + rate(rates[len(rates)-1]) + " a second, over five minutes at most " + rate(highest), Path: path.String()}
}
