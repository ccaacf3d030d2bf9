package console

import (
	"fmt"
	"time"

	"fanfare/internal/pacing"
)

// timetable is what follows a gate: closed, then the ramp, then the full pace. It is drawn in a box
// of 660 by 60.
type timetable struct {
	Label           string
	Opens, Full     float64 // where the ramp and the full pace begin
	RampFrom        float64
	FullWidth       float64
	OpensAt, FullAt string
	ClosedMid       float64
	Rate            string
	HasRamp         bool
}

const (
	timetableWidth = 660.0
	fullTail       = 200.0 // of the full pace, which has no end
	leastPart      = 110.0 // as wide as a label
)

// timetableOf returns what follows a gate that opens at a moment.
func timetableOf(p pacing.State, opens time.Time) *timetable {
	left, ramp := opens.Sub(p.Now), p.Settings.Ramp
	t := &timetable{Opens: timetableWidth - fullTail, HasRamp: ramp > 0}
	if t.HasRamp {
		way := timetableWidth - fullTail
		t.Opens = min(max(leastPart, way*float64(left)/float64(left+ramp)), way-leastPart)
	}
	t.RampFrom, t.Full, t.ClosedMid = t.Opens+4, timetableWidth-fullTail, t.Opens/2
	t.FullWidth = timetableWidth - t.Full
	full := opens.Add(ramp).UTC().Format("15:04:05")
	t.OpensAt, t.FullAt, t.Rate = "opens "+opens.UTC().Format("15:04:05"), "full pace "+full, rate(p.Settings.Rate())+" /s"
	t.Label = fmt.Sprintf("Closed until %s", opens.UTC().Format("15:04:05"))
	if t.HasRamp {
		t.Label += "; then a ramp until " + full
	}
	t.Label += ", then " + rate(p.Settings.Rate()) + " a second"
	return t
}
