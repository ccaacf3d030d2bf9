package operator

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"fanfare/internal/campaign"
)

// isOvertaken reports whether the campaign gets nothing, so that others may be served first.
func (v View) isOvertaken() bool {
	return v.Spec.State == campaign.Running && v.Books.Waiting > 0 && v.Books.InFlight == 0
}

// explainPriority adds the campaigns that are served first, if this one gets nothing meanwhile.
func (w *why) explainPriority() {
	if !w.isOvertaken() {
		return
	}
	var people int64
	first := w.findRivals(func(priority int) bool { return priority > w.Spec.Priority })
	for _, other := range first {
		people += other.Books.CountOpen()
	}
	if len(first) == 0 {
		return
	}
	slices.SortStableFunc(first, func(a, b View) int {
		return cmp.Or(cmp.Compare(b.Spec.Priority, a.Spec.Priority), cmp.Compare(b.Books.CountOpen(), a.Books.CountOpen()))
	})
	name := cmp.Or(first[0].Spec.Name, first[0].Spec.ID) + " takes"
	if more := len(first) - 1; more > 0 {
		name = fmt.Sprintf("%s and %d more take", cmp.Or(first[0].Spec.Name, first[0].Spec.ID), more)
	}
	who := Thousands(people) + " people"
	if people == 1 {
		who = "1 person"
	}
	w.stop(Reason{
		Kind: ReasonPriority, Headline: fmt.Sprintf("Priority %d goes first", first[0].Spec.Priority),
		Detail:       fmt.Sprintf("%s the whole quota, with %s to go%s", name, who, w.estimate(people, first)),
		EndsByItself: true,
		Next:         fmt.Sprintf("nothing to do; or raise its priority: fanfare campaign set %s --priority %d", campaign.ShellQuote(w.Spec.ID), first[0].Spec.Priority),
	})
}

// estimate says how long the campaigns that go first need: from the project's full pace to their
// own of the last minute; "" if neither is known. The ramp and slow answers make it longer.
func (w *why) estimate(people int64, first []View) string {
	var fast, slow time.Duration
	after := func(rate float64) time.Duration {
		if rate <= 0 {
			return 0
		}
		return max(time.Second, time.Duration(float64(people)/rate*float64(time.Second)).Round(time.Second))
	}
	if w.Pace != nil {
		fast = after(w.Pace.Settings.Rate())
	}
	rate := 0.0
	for _, v := range first {
		if v.Forecast != nil {
			rate += v.Forecast.Rate
		}
	}
	switch slow = after(rate); {
	case fast > 0 && slow > fast:
		return ", about " + Span(fast) + " to " + Span(slow)
	case fast > 0:
		return ", at least " + Span(fast)
	case slow > 0:
		return ", about " + Span(slow)
	}
	return ""
}

// findRivals returns the other running campaigns of the project with such a priority that could be
// sent now.
func (w *why) findRivals(has func(priority int) bool) []View {
	return slices.DeleteFunc(slices.Clone(w.Running), func(v View) bool {
		return v.Spec.ID == w.Spec.ID || !SharesQuota(v.Spec.Project, w.Spec.Project) || !has(v.Spec.Priority) ||
			v.Books.Waiting == 0 || v.Hold != nil || v.Err != nil
	})
}
