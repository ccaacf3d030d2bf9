package console

import (
	"testing"
	"time"

	"fanfare/internal/pacing"
)

// The parts of the timetable follow each other, however long they are, and leave room for labels.
func TestTimetable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left, ramp time.Duration
		label      string
	}{
		"as the design has it": {44 * time.Second, time.Minute, "Closed until 14:00:44; then a ramp until 14:01:44, then 9,900 a second"},
		"a short gate":         {time.Second, time.Minute, "Closed until 14:00:01; then a ramp until 14:01:01, then 9,900 a second"},
		"a long gate":          {time.Hour, time.Second, "Closed until 15:00:00; then a ramp until 15:00:01, then 9,900 a second"},
		"no ramp":              {time.Minute, 0, "Closed until 14:01:00, then 9,900 a second"},
	} {
		p := pacing.State{Now: now, Settings: pacing.DefaultSettings()}
		p.Settings.Ramp = c.ramp
		got := timetableOf(p, now.Add(c.left))
		if got.Label != c.label {
			t.Errorf("%s: %q, want %q", name, got.Label, c.label)
		}
		if got.Opens < leastPart || got.HasRamp && got.Full-got.Opens < leastPart || got.Opens > got.Full || got.Full+got.FullWidth != timetableWidth {
			t.Errorf("%s: opens at %.0f, full from %.0f, %.0f wide", name, got.Opens, got.Full, got.FullWidth)
		}
	}
}
