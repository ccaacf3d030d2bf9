package console

import (
	"cmp"
	"math"
	"slices"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/store"
)

// minutesChart is a chart of outcomes over time, with its table. The bars are of equal spans, so
// that a long campaign has no more of them than a short one.
type minutesChart struct {
	Bars    []chartBar
	YTicks  []tick
	XTicks  []tick
	Columns []string // of the table: outcomes, the largest first
	Rows    []chartRow
	Step    string // the span of a bar
	Shown   []chartKey

	first time.Time
	step  time.Duration
	count int
}

// chartBar is a part of a bar.
type chartBar struct {
	Class               string
	X, Y, Width, Height float64
}

type tick struct {
	At    float64
	Label string
}

type chartRow struct {
	At    string
	Cells []int64
	Sum   int64
}

type chartKey struct{ Name, Class string }

// strip is a bar of a code's small chart, in a box of 240 by 24.
type strip struct{ X, Y, Width, Height float64 }

// The chart's box and the place of its axes, in its own units.
const (
	chartLeft, chartRight, chartTop, chartBottom = 56.0, 952.0, 10.0, 196.0

	maxBars    = 96
	maxColumns = 6 // outcomes with a column of their own
	stripWide  = 240.0
	stripHigh  = 24.0
)

// barSteps are the spans of bars.
var barSteps = []time.Duration{
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

// chartOf draws the minutes; nil without any.
func chartOf(minutes []store.Minute) *minutesChart {
	if len(minutes) == 0 {
		return nil
	}
	c := &minutesChart{step: barSteps[0]}
	c.span(minutes)
	c.Step = stepName(c.step)
	c.drawBars(minutes)
	c.addRows(minutes)
	return c
}

// span chooses the span of a bar, and where the first one begins.
func (c *minutesChart) span(minutes []store.Minute) {
	first, last := minutes[0].Start, minutes[len(minutes)-1].Start
	for _, step := range barSteps {
		c.step = step
		if c.countBars(first, last) <= maxBars {
			break
		}
	}
	for c.countBars(first, last) > maxBars {
		c.step *= 2
	}
	c.first, c.count = first.Truncate(c.step), c.countBars(first, last)
}

func (c *minutesChart) countBars(first, last time.Time) int {
	return int(last.Sub(first.Truncate(c.step))/c.step) + 1
}

func (c *minutesChart) index(m store.Minute) int { return int(m.Start.Sub(c.first) / c.step) }

func (c *minutesChart) drawBars(minutes []store.Minute) {
	sums := make([]map[notification.Status]int64, c.count)
	seen := make(map[notification.Status]bool)
	for _, m := range minutes {
		i := c.index(m)
		if sums[i] == nil {
			sums[i] = make(map[notification.Status]int64)
		}
		sums[i][m.Status] += m.N
		seen[m.Status] = true
	}
	highest := int64(0)
	for _, sum := range sums {
		var all int64
		for _, n := range sum {
			all += n
		}
		highest = max(highest, all)
	}
	perMinute := c.step.Minutes()
	top := niceCeiling(float64(highest) / perMinute)
	scale := (chartBottom - chartTop) / top
	slot := (chartRight - chartLeft) / float64(c.count)
	width := min(max(slot-2, slot*0.6), 40) // a single minute is no wall
	for i, sum := range sums {
		y := chartBottom
		for _, status := range chartStatuses {
			height := float64(sum[status]) / perMinute * scale
			if height == 0 {
				continue
			}
			height = max(height, 1) // a loss can be seen
			y -= height
			c.Bars = append(c.Bars, chartBar{termClasses[string(status)], chartLeft + float64(i)*slot + (slot-width)/2, y, width, height})
		}
	}
	for _, status := range chartStatuses {
		if seen[status] {
			c.Shown = append(c.Shown, chartKey{string(status), termClasses[string(status)]})
		}
	}
	c.addTicks(top, scale, slot)
}

func (c *minutesChart) addTicks(top, scale, slot float64) {
	for i := range 5 {
		value := top * float64(i) / 4
		label := rate(value)
		if top >= 10_000 && value > 0 {
			label = operator.Decimal(value/1000) + "k"
		}
		c.YTicks = append(c.YTicks, tick{chartBottom - value*scale, label})
	}
	every := max(1, int(math.Ceil(float64(c.count)/8)))
	layout := "15:04"
	if c.step >= 6*time.Hour {
		layout = "2 Jan"
	}
	for i := 0; i < c.count; i += every {
		c.XTicks = append(c.XTicks, tick{chartLeft + (float64(i)+0.5)*slot, c.first.Add(time.Duration(i) * c.step).Format(layout)})
	}
}

// addRows fills the table from the same sums.
func (c *minutesChart) addRows(minutes []store.Minute) {
	order := operator.SumMinutes(minutes)
	column := make(map[operator.OutcomeCount]int)
	for i, o := range order {
		o.N = 0
		if column[o] = min(i, maxColumns-1); len(order) <= maxColumns || i < maxColumns-1 {
			column[o] = i
			c.Columns = append(c.Columns, cmp.Or(o.Code, string(o.Status)))
		}
	}
	if len(order) > maxColumns {
		c.Columns = append(c.Columns, "other")
	}
	c.Rows = make([]chartRow, c.count)
	for i := range c.Rows {
		c.Rows[i] = chartRow{At: c.first.Add(time.Duration(i) * c.step).Format("2 Jan 15:04"), Cells: make([]int64, len(c.Columns))}
	}
	for _, m := range minutes {
		row := &c.Rows[c.index(m)]
		row.Cells[column[operator.OutcomeCount{Status: m.Status, Code: m.ErrorCode}]] += m.N
		row.Sum += m.N
	}
	c.Rows = slices.DeleteFunc(c.Rows, func(r chartRow) bool { return r.Sum == 0 })
}

// stripOf draws one outcome over the span of the whole chart.
func (c *minutesChart) stripOf(minutes []store.Minute, o operator.OutcomeCount) []strip {
	sums := make([]int64, c.count)
	for _, m := range minutes {
		if m.Status == o.Status && m.ErrorCode == o.Code {
			sums[c.index(m)] += m.N
		}
	}
	highest := slices.Max(sums)
	if highest == 0 {
		return nil
	}
	var bars []strip
	slot := stripWide / float64(c.count)
	width := min(max(slot-1, slot*0.7), 12)
	for i, n := range sums {
		if n > 0 {
			height := max(1, stripHigh*float64(n)/float64(highest))
			bars = append(bars, strip{float64(i)*slot + (slot-width)/2, stripHigh - height, width, height})
		}
	}
	return bars
}

// niceCeiling returns 1, 2, 4 or 5 times a power of ten that is not below x.
func niceCeiling(x float64) float64 {
	if x <= 4 {
		return 4
	}
	power := math.Pow(10, math.Floor(math.Log10(x)))
	for _, factor := range []float64{1, 2, 4, 5, 8, 10} {
		if factor*power >= x {
			return factor * power
		}
	}
	return 10 * power
}

func stepName(step time.Duration) string {
	if step == time.Minute {
		return "a minute"
	}
	return span(step)
}
