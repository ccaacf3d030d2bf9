package console

import (
	"fmt"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// timeFacts are the time rules of a campaign, and when those are due who wait for their windows.
func timeFacts(c *Campaign, now time.Time) []fact {
	s := c.Spec
	var facts []fact
	if s.IsScheduled() {
		facts = append(facts, fact{Label: "Starts", Value: clock(s.StartAt, now) + " UTC"})
	}
	for _, f := range []fact{
		{Label: "Windows", Value: s.Windows.String()}, {Label: "Local time", Value: s.LocalTime.String()}, {Label: "Time zone", Value: s.TimeZone},
		{Label: "Quiet hours", Value: s.QuietHours.String()},
		{Label: "Due", Value: dueText(c.Due, now)},
	} {
		if f.Value != "" {
			facts = append(facts, f)
		}
	}
	return facts
}

// namedSlots limits the due times that one line names.
const namedSlots = 4

// dueText names the first due times; "" without any.
func dueText(slots []operator.DueSlot, now time.Time) string {
	var all []string
	for i, slot := range slots {
		if i == namedSlots {
			all = append(all, fmt.Sprintf("%d more times", len(slots)-i))
			break
		}
		when := "from "
		if slot.Until.IsZero() {
			when = "after "
		}
		all = append(all, operator.Thousands(slot.N)+" "+when+clock(slot.From, now))
	}
	return strings.Join(all, ", ")
}

// waveFacts say how punctual the waves of a campaign were.
func waveFacts(waves []campaign.Wave) []fact {
	facts := make([]fact, len(waves))
	for i, w := range waves {
		facts[i] = fact{Label: "Wave", Value: fmt.Sprintf("%s: %s sent, %.0f%% within 5 minutes", fullMoment(w.Opens), operator.Thousands(w.Sent), 100*float64(w.Within5m)/float64(max(1, w.Sent)))}
	}
	return facts
}
