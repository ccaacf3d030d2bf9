package console

import (
	"strings"
	"testing"
	"time"

	"fanfare/internal/fleet"
)

// A process that was killed stays shown for a while. One that stops by itself, or is back, does
// not.
func TestSilentProcessesStayShown(t *testing.T) {
	t.Parallel()
	process := func(id string, phase fleet.Phase, beat time.Duration) fleet.Process {
		return fleet.Process{ID: id, Host: id, Role: fleet.Dispatcher, Phase: phase, BeatAge: beat, Load: fleet.Load{Held: 612}}
	}
	before := &Snapshot{At: now, Fleet: []fleet.Process{
		process("killed", fleet.Serving, 5*time.Second), process("stopped", fleet.Serving, time.Second), process("stopping", fleet.Stopping, 5*time.Second), process("late", fleet.Serving, 5*time.Second),
	}}
	after := &Snapshot{At: now.Add(2 * time.Second), Fleet: []fleet.Process{process("late", fleet.Serving, 0)}}
	after.Silent = findSilent(before, after.Fleet, after.At)
	if len(after.Silent) != 1 || after.Silent[0].ID != "killed" {
		t.Fatalf("silent are %+v", after.Silent)
	}
	shown := new(Console).fleetOf(after, nil)
	if row := shown.Rows[1]; row.Tone != "is-broken" || row.Beat != "7.0 s ago" || !strings.Contains(row.Note, "went silent") || !strings.Contains(shown.Note, "1 that went silent") {
		t.Errorf("%q with the row %+v", shown.Note, row)
	}
	for later, want := range map[time.Duration]int{time.Minute: 1, silentShown: 0} {
		if got := findSilent(after, after.Fleet, now.Add(later)); len(got) != want {
			t.Errorf("%s later %d are shown, want %d", later, len(got), want)
		}
	}
	if got := findSilent(after, []fleet.Process{process("killed", fleet.Serving, 0)}, now.Add(time.Minute)); len(got) != 0 {
		t.Errorf("one that is back is silent: %+v", got)
	}
}
