package console

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/traffic"
)

// slotsShown limits the lines of a campaign's table over time.
const slotsShown = 180

// recordAge is how long a record serves all pages of a campaign: it changes every ten seconds.
const recordAge = 5 * time.Second

// readTraffic reads all that Redis keeps of a campaign's pushes over time.
func (c *Console) readTraffic(ctx context.Context, id string) (traffic.Series, error) {
	return c.deps.System.Traffic(ctx, id, slotsShown)
}

// trafficOf returns a record that is known, or reads it. One that cannot be read is empty: the rest
// of the page does not depend on it, and the log says why.
func (c *Console) trafficOf(ctx context.Context, id string, known *recent[traffic.Series], read func(ctx context.Context, id string) (traffic.Series, error)) traffic.Series {
	now := c.now()
	if series, _, ok := known.find(id, now); ok {
		return series
	}
	series, err := read(ctx, id)
	if err != nil {
		c.deps.Logger.Info("traffic not read; the page has no chart", "campaign", id, "error", err)
		return traffic.Series{}
	}
	known.keep(id, now, series)
	return series
}

// overTime is the table from which the charts are drawn.
type overTime struct {
	Step  string // from one line to the next
	Age   string // of what is from SQL; what is from Redis is live
	OfSQL bool   // outcomes by minute of SQL, rather than pushes of Redis
	Marks string // of the charts: the Unix time and the word of each event, with | between events
	Rows  []moment
	// Windows lead to the other windows of the charts; nil if there is only one.
	Windows []chartWindow
}

// moment is one line: answers a second, and the percentiles of the latency of accepted pushes.
type moment struct {
	Unix                          int64
	At                            string // UTC
	Answers, Limited, Unavailable figure
	P50, P95, P99                 figure
	Sent, Others                  figure // outcomes, where the table is of SQL
}

// figure is a value as the chart and as the table have it. An empty value is a gap.
type figure struct{ Value, Text string }

func overTimeOf(s traffic.Series, now time.Time) overTime {
	out := overTime{Step: span(s.Step)}
	for i := range s.Slots {
		slot := &s.Slots[i]
		out.Rows = append(out.Rows, moment{
			Unix: slot.At.Unix(), At: clockOfSlot(slot.At, now),
			Answers: perSecond(slot, slot.Answers), Limited: perSecond(slot, slot.Limited), Unavailable: perSecond(slot, slot.Unavailable),
			P50: percentile(slot, 0.5), P95: percentile(slot, 0.95), P99: percentile(slot, 0.99),
		})
	}
	return out
}

// clockOfSlot has seconds, and the day if it is another one.
func clockOfSlot(at, now time.Time) string {
	if at, now := at.UTC(), now.UTC(); at.YearDay() != now.YearDay() {
		return at.Format("2 Jan 15:04:05")
	}
	return at.UTC().Format("15:04:05")
}

func perSecond(slot *traffic.Slot, n int64) figure {
	r := slot.PerSecond(n)
	return figure{fmt.Sprintf("%.1f", r), rate(r)}
}

func percentile(slot *traffic.Slot, share float64) figure {
	took := slot.Latency.Quantile(share)
	if took == 0 {
		return figure{"", "–"}
	}
	ms := took.Milliseconds()
	return figure{fmt.Sprint(ms), "≈ " + operator.Thousands(ms)}
}
