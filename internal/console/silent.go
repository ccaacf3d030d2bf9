package console

import (
	"slices"
	"time"

	"fanfare/internal/fleet"
)

// silentShown is how long a process that went silent is shown. What it held is given back by then.
const silentShown = 10 * time.Minute

// silentProcess is a process that is no longer listed.
type silentProcess struct {
	fleet.Process

	BeatAt time.Time // its last beat, by this process's clock
}

// findSilent returns the processes that are gone since the snapshot before, and those that were
// silent then. One that stops by itself takes itself from the list with its beats on time; one that
// was killed is first late, and then gone.
func findSilent(before *Snapshot, running []fleet.Process, now time.Time) (silent []silentProcess) {
	if before == nil {
		return nil
	}
	isBack := func(id string) bool {
		return slices.ContainsFunc(running, func(p fleet.Process) bool { return p.ID == id })
	}
	for _, p := range before.Fleet {
		if p.Phase != fleet.Stopping && p.BeatAge > fleet.Interval+fleet.Interval/4 && !isBack(p.ID) {
			silent = append(silent, silentProcess{p, before.At.Add(-p.BeatAge)})
		}
	}
	for _, p := range before.Silent {
		if now.Sub(p.BeatAt) < silentShown && !isBack(p.ID) {
			silent = append(silent, p)
		}
	}
	return silent
}

// silentRow shows a process that went silent.
func silentRow(p silentProcess, now time.Time) processRow {
	row := rowOf(p.Process, now)
	row.Tone, row.Up, row.Wire, row.Memory, row.Lease = "is-broken", "–", "–", "–", "–"
	row.Beat, row.Silent = span(now.Sub(p.BeatAt))+" ago", true
	row.Note = "went silent; what it held is given back when its leases end"
	return row
}
