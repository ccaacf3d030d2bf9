package console

import (
	"fmt"
	"time"

	"fanfare/internal/operator"
)

// personCap is a cap with the pushes of the user that count now. Next is when the next push may go,
// Oldest when the oldest one stops counting; both "" if that does not apply.
type personCap struct {
	Name, Next, Oldest string
	Used, Count        int
	Bar                bar
}

// personCapsOf lists the caps in the order of the settings.
func personCapsOf(u operator.User, now time.Time) []personCap {
	moment := func(at time.Time) string {
		if at.IsZero() {
			return ""
		}
		return clock(at, now) + " UTC, in " + span(at.Sub(now))
	}
	var all []personCap
	for _, each := range u.Caps {
		used, count, fill := int64(each.Used), int64(each.Cap.Count), "f-ink"
		if used >= count {
			fill = "f-retry"
		}
		all = append(all, personCap{
			Name: each.Cap.String(), Used: each.Used, Count: each.Cap.Count, Next: moment(each.FreesAt), Oldest: moment(each.OldestUntil),
			Bar: barTo(fill, fmt.Sprintf("%d of %d used", used, count), min(used, count), count),
		})
	}
	return all
}
