package console

import (
	"cmp"
	"slices"

	"fanfare/internal/breaker"
	"fanfare/internal/operator"
)

// canary is the progress of the first pushes, one cell for each.
type canary struct {
	Passed bool
	Text   string
	Cells  []cell
}

type cell struct {
	Class string
	X, Y  float64
}

// canaryRow is how many cells stand in a row of the canary.
const canaryRow = 50

func canaryOf(s breaker.State) *canary {
	if !s.Known || s.Canary.Size == 0 {
		return nil
	}
	c := s.Canary
	out := &canary{Passed: c.Passed}
	switch {
	case c.Passed:
		out.Text = plural(int64(c.Size), "answer looked as it", "answers looked as they") + " should"
	case c.Unanswered > 0:
		out.Text = operator.Thousands(c.Answered) + " answered, " + operator.Thousands(c.Unanswered) + " without an answer"
	default:
		out.Text = operator.Thousands(c.Answered) + " of " + operator.Thousands(c.Size) + " answered"
	}
	for i := range min(c.Size, 2*canaryRow) {
		class := "f-track"
		switch n := int64(i) * int64(c.Size) / int64(min(c.Size, 2*canaryRow)); {
		case n < c.Answered:
			class = "f-sent"
		case n < c.Answered+c.Unanswered:
			class = "f-unknown"
		case n < c.Answered+c.Unanswered+c.Outstanding:
			class = "f-flight"
		}
		out.Cells = append(out.Cells, cell{class, float64(i%canaryRow)*20 + 1, float64(i/canaryRow) * 12})
	}
	return out
}

// gauge is one kind of answer and its distance to the limit that stops the campaign.
type gauge struct {
	Name, Meaning string
	Count, Least  int64
	Share, Limit  string
	Past          bool // the number is reached; the share decides
	Tripped       bool
	Bar           bar
}

// meanings say what a kind of answer is.
var meanings = map[breaker.Kind]string{
	breaker.Unregistered: "dead tokens", breaker.BadMessage: "400 that names a field", breaker.BadTarget: "400 that names none",
	breaker.SenderMismatch: "tokens of another project", breaker.NotFound: "404", breaker.ThirdPartyAuth: "APNs or web push keys refused",
	breaker.Credentials: "our credentials refused", breaker.Unanswered: "pushes without an answer", breaker.Other: "any other answer",
}

// gaugesOf returns the gauges of the kinds that can trip, the nearest to its limit first.
func gaugesOf(s breaker.State) (all []gauge, judged int64) {
	type near struct {
		gauge
		way float64
	}
	var found []near
	for _, each := range s.Shares {
		judged = max(judged, each.Of)
		if each.Limit.Least == 0 {
			continue
		}
		byCount := float64(each.Count) / float64(each.Limit.Least)
		byShare := 0.0
		if each.Of > 0 && each.Limit.Share > 0 {
			byShare = float64(each.Count) / float64(each.Of) / each.Limit.Share
		}
		way := min(1, byCount, byShare)
		g := gauge{
			Name: string(each.Kind), Meaning: meanings[each.Kind], Count: each.Count, Least: each.Limit.Least,
			Share: share(each.Count, each.Of), Limit: share(int64(each.Limit.Share*10000), 10000), Past: byCount >= 1, Tripped: way >= 1,
		}
		class := "f-ink"
		switch {
		case way >= 1:
			class = "f-failed"
		case way >= 0.5:
			class = "f-retry"
		}
		g.Bar = barTo(class, g.Name+": "+g.Meaning+", "+share(int64(way*100), 100)+" of the way to its limit", int64(way*barWidth), int64(barWidth))
		found = append(found, near{g, way})
	}
	slices.SortStableFunc(found, func(a, b near) int { return cmp.Or(cmp.Compare(b.way, a.way), cmp.Compare(b.Count, a.Count)) })
	for _, f := range found {
		all = append(all, f.gauge)
	}
	return all, judged
}
