package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
)

// redisKeeps is how far back the record in Redis goes; see traffic.
const redisKeeps = 24 * time.Hour

// minutesAge is how long the minutes of SQL serve all pages of a campaign that has ended.
const minutesAge = time.Minute

// isOld reports whether a campaign has ended, and Redis no longer has its whole record.
func isOld(spec campaign.Spec, now time.Time) bool {
	return spec.State.HasEnded() && !spec.StartedAt.IsZero() && now.Sub(spec.StartedAt) > redisKeeps
}

// chartOverTime returns how a campaign went over time: from Redis, or of an old one from SQL, which
// keeps outcomes by minute. Its window is in the address.
func (c *Console) chartOverTime(r *http.Request, spec campaign.Spec, now time.Time) overTime {
	ctx := r.Context()
	if c.deps.Records != nil && isOld(spec, now) {
		minutes, age := c.minutesOf(ctx, spec.ID)
		out := outcomesOverTime(minutes, now)
		out.Age = age
		return out
	}
	windows := c.windowsOf(r, spec, now)
	known, read := c.traffic, c.readTraffic
	if len(windows) > 0 && windows[0].Current {
		known, read = c.recentTraffic, c.deps.System.RecentTraffic
	}
	out := overTimeOf(c.trafficOf(ctx, spec.ID, known, read), now)
	out.Windows = windows
	return out
}

// minutesOf returns the minutes of SQL, at most minutesAge old, and their age. Those that cannot be
// read are none, and have no age: the funnel says that SQL does not answer.
func (c *Console) minutesOf(ctx context.Context, id string) (minutes []store.Minute, age string) {
	now := c.now()
	if known, since, ok := c.minutes.find(id, now); ok {
		return known, ageText(since)
	}
	var found []store.Minute
	err := c.askSQL(ctx, func(ctx context.Context) (err error) {
		found, err = c.deps.Records.Minutes(ctx, id)
		return err
	})
	if err != nil {
		return nil, ""
	}
	c.minutes.keep(id, now, found)
	return found, ageText(0)
}

// outcomesOverTime is the table of outcomes, in equal steps without a gap.
func outcomesOverTime(minutes []store.Minute, now time.Time) overTime {
	out := overTime{OfSQL: true}
	if len(minutes) == 0 {
		return out
	}
	// A copy, because other requests read the same minutes.
	minutes = slices.SortedStableFunc(slices.Values(minutes), func(a, b store.Minute) int { return a.Start.Compare(b.Start) })
	first, last := minutes[0].Start, minutes[len(minutes)-1].Start
	step := time.Minute
	for last.Sub(first.Truncate(step))/step >= slotsShown {
		step *= 2
	}
	first = first.Truncate(step)
	type sums struct{ sent, others int64 }
	slots := make([]sums, last.Sub(first)/step+1)
	for _, m := range minutes {
		slot := &slots[m.Start.Sub(first)/step]
		if m.Status == notification.StatusSent {
			slot.sent += m.N
		} else {
			slot.others += m.N
		}
	}
	perSecond := func(n int64) figure {
		r := float64(n) / step.Seconds()
		return figure{fmt.Sprintf("%.2f", r), rate(r)}
	}
	if out.Step = "minute"; step > time.Minute {
		out.Step = span(step)
	}
	for i, slot := range slots {
		at := first.Add(time.Duration(i) * step)
		out.Rows = append(out.Rows, moment{Unix: at.Unix(), At: clockOfSlot(at, now), Sent: perSecond(slot.sent), Others: perSecond(slot.others)})
	}
	return out
}
