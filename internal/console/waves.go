package console

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
)

// planOf returns when the recipients of a campaign are sent to, at most half a minute old; nil
// without time rules, or if that is unknown.
func (c *Console) planOf(ctx context.Context, v operator.View, s *Snapshot) *operator.WavePlan {
	project, _ := s.findProject(v.Spec.Project)
	if project.Pace == nil {
		return nil
	}
	plan, err := c.plans.Plan(ctx, c.deps.System, v, *project.Pace, s.At)
	if err != nil {
		c.deps.Logger.Info("waves not planned; the page of the campaign has none", "campaign", v.Spec.ID, "error", err)
	}
	return plan
}

// explainDue sets why the scheduled start of a draft is refused, now that its time has come.
func (c *Console) explainDue(ctx context.Context, v *operator.View, s *Snapshot) {
	if !v.Spec.IsScheduled() || s.At.Before(v.Spec.StartAt) || v.Books.IsIncomplete(v.Spec) {
		return
	}
	if plan := c.planOf(ctx, *v, s); plan != nil && !plan.Fits() {
		v.Unfit = plan
	}
}

// addLate adds a box to the dialog of a start whose waves do not fit.
func (c *Console) addLate(ctx context.Context, d *dialog, v operator.View, s *Snapshot) {
	if v.Spec.State != campaign.Draft {
		return
	}
	if plan := c.planOf(ctx, v, s); plan != nil && !plan.Fits() {
		if plan.Unfit > 0 {
			d.Effects = append(d.Effects, effect{"Left when their window closes", plan.Unfit})
		}
		if plan.NoTurn > 0 {
			d.Effects = append(d.Effects, effect{"Without a window before the deadline", plan.NoTurn})
		}
		d.Check = &check{"late", "Start although not everyone is sent to in time"}
	}
}

// wavePanel shows when the recipients of a campaign are sent to, hour by hour.
type wavePanel struct {
	Span    string // from the first hour to the last
	Label   string // for people who do not see the picture
	Bars    []hourBar
	Open    []hourSpan // hours in which windows are open
	Ticks   []hourTick
	Rows    []hourRow
	Now     string // which zones are open, of a campaign that runs
	Turns   []turnRow
	More    int    // waves beyond Turns
	Source  string // what the figures are estimated from
	Sum     string
	Problem string // what does not fit
	Advice  string
}

// hourBar is an hour in the picture, in percent of its size. Late is what does not fit, on top.
type hourBar struct{ X, Width, Y, Height, LateY, LateHeight string }

// hourSpan is a part of the axis, in percent of its length.
type hourSpan struct{ X, Width string }

// hourTick names an hour below the axis.
type hourTick struct{ X, Text string }

// hourRow is an hour in the table.
type hourRow struct {
	At        string
	N, Unsent int64
	Open      string
}

// turnRow is a wave: a part of the audience with the same window.
type turnRow struct {
	Zones, Opens, Closes string
	N, Unsent            int64
}

// maxTurns limits the waves in the table. An audience of the whole world has about forty.
const maxTurns = 50

// maxTicks is how many hours are named: as many as a phone has room for.
const maxTicks = 6

func percent(share float64) string { return fmt.Sprintf("%.2f%%", 100*share) }

// wavePanelOf draws the plan of a campaign; nil if it has no hour.
func wavePanelOf(p *operator.WavePlan, isRunning bool, now time.Time) *wavePanel {
	if p == nil || len(p.Hours) == 0 && p.NoTurn == 0 {
		return nil
	}
	out := &wavePanel{Source: "≈ from all recipients’ zones", Sum: planSum(p)}
	if !p.Exact {
		out.Source = "≈ from a sample of the zones"
	}
	if each := p.DescribePushes(); each != "" {
		out.Source += "; " + each
	}
	out.Source += " · " + ageText(max(0, now.Sub(p.At)))
	if p.Unfit > 0 {
		unfit := 0
		for _, w := range p.Waves {
			if w.Unsent > 0 {
				unfit++
			}
		}
		out.Problem = fmt.Sprintf("%d of %s not fit: their window closes first", unfit, plural(int64(len(p.Waves)), "wave does", "waves do"))
	} else if p.NoTurn > 0 {
		out.Problem = plural(p.NoTurn, "recipient has", "recipients have") + " no window left before the deadline"
	}
	if !p.Fits() {
		out.Advice = capital(p.Advice()) + "."
	}
	if len(p.Hours) > 0 {
		out.draw(p.Hours)
	}
	if isRunning {
		out.Now = p.DescribeTurns(now)
	}
	out.listTurns(p.Waves, now)
	return out
}

// listTurns sets the table of waves and their zones.
func (w *wavePanel) listTurns(waves []operator.PlannedWave, now time.Time) {
	shown := waves[:min(len(waves), maxTurns)]
	for _, wave := range shown {
		w.Turns = append(w.Turns, turnRow{wave.ZonesText(), clock(wave.Opens, now), clock(wave.Closes, now), wave.N, wave.Unsent})
	}
	w.More = len(waves) - len(shown)
}

// planSum says what becomes of all recipients who wait.
func planSum(p *operator.WavePlan) string {
	var inTime int64
	for _, h := range p.Hours {
		inTime += h.N
	}
	text := "≈ " + operator.Thousands(inTime) + " go in their windows"
	if p.Later > 0 {
		text += ", " + operator.Thousands(p.Later) + " of them in a later one than their first"
	}
	if p.Unfit > 0 {
		text += ", " + operator.Thousands(p.Unfit) + " are left when theirs close"
	}
	if p.NoTurn > 0 {
		text += ", " + operator.Thousands(p.NoTurn) + " have no window before the deadline"
	}
	if p.Expired > 0 {
		text += "; " + operator.Thousands(p.Expired) + " end as expired"
	}
	return text + "."
}

// draw sets the picture and its table.
func (w *wavePanel) draw(hours []operator.PlannedHour) {
	first, last := hours[0].From, hours[len(hours)-1].From.Add(time.Hour)
	w.Span = first.Format("Mon 2 Jan 15:04") + " to " + last.Format("Mon 2 Jan 15:04") + " UTC"
	most, peak := int64(1), hours[0]
	for _, h := range hours {
		if most = max(most, h.N+h.Unsent); h.N > peak.N {
			peak = h
		}
	}
	w.Label = fmt.Sprintf("People by the hour in which they are sent to: at most %s, from %s UTC", operator.Thousands(peak.N), peak.From.Format("Mon 15:04"))
	width := 1 / float64(len(hours))
	gap := width / 8
	for i, h := range hours {
		x := float64(i) * width
		sent, late := float64(h.N)/float64(most), float64(h.Unsent)/float64(most)
		w.Bars = append(w.Bars, hourBar{percent(x + gap/2), percent(width - gap), percent(1 - sent), percent(sent), percent(1 - sent - late), percent(late)})
		open := "closed"
		if h.Open {
			open = "open"
			w.Open = append(w.Open, hourSpan{percent(x), percent(width)})
		}
		w.Rows = append(w.Rows, hourRow{h.From.Format("Mon 2 Jan 15:04"), h.N, h.Unsent, open})
	}
	step := tickStep(len(hours))
	for i, h := range hours {
		if h.From.Hour()%min(step, 24) == 0 && (step <= 24 || h.From.YearDay()%(step/24) == 0) {
			text := h.From.Format("15:04")
			if h.From.Hour() == 0 {
				text = h.From.Format("2 Jan")
			}
			w.Ticks = append(w.Ticks, hourTick{percent(float64(i) * width), text})
		}
	}
}

// tickStep is the number of hours between two that are named.
func tickStep(hours int) int {
	for _, step := range []int{1, 2, 3, 6, 12, 24, 48} {
		if hours <= step*maxTicks {
			return step
		}
	}
	return 72
}

// punctualRow is how punctual a wave was that has been sent.
type punctualRow struct {
	Opens  string
	Sent   int64
	Shares []string // within 1, 5, 15 and 60 minutes
}

// punctualRows list the waves of the books, in the order of time.
func punctualRows(waves []campaign.Wave, now time.Time) (rows []punctualRow) {
	for _, w := range waves {
		row := punctualRow{Opens: clock(w.Opens, now), Sent: w.Sent}
		for _, n := range []int64{w.Within1m, w.Within5m, w.Within15m, w.Within1h} {
			row.Shares = append(row.Shares, share(n, w.Sent))
		}
		rows = append(rows, row)
	}
	return rows
}
