package console

import (
	"fmt"
	"strings"
	"time"

	"fanfare/internal/fleet"
	"fanfare/internal/operator"
)

// fleetContent is the running processes, and what they depend on.
type fleetContent struct {
	Note   string // how many there are
	Beat   string
	Rows   []processRow
	Facts  []fact
	Health *health // nil: it is not checked
	Why    *why    // why results do not reach SQL
}

// processRow is a process in the table.
type processRow struct {
	Tone, Role, Where, Version, Up string
	Held, Wire, Memory, Lease      string
	Beat, Note                     string
	Silent                         bool
}

// lateAfter is how old a beat is when the page marks it. A little later the process is gone.
const lateAfter = 2 * fleet.Interval

// fleetOf shows the processes of a snapshot.
func (c *Console) fleetOf(s *Snapshot, h *health) fleetContent {
	count := make(map[fleet.Role]int)
	out := fleetContent{Health: h, Beat: "a beat every " + operator.Span(fleet.Interval)}
	for _, p := range s.Fleet {
		count[p.Role]++
		row := rowOf(p, s.At)
		if len(s.Projects) > 1 && p.Project != "" {
			row.Where += " · " + p.Project
		}
		out.Rows = append(out.Rows, row)
	}
	for _, p := range s.Silent {
		out.Rows = append(out.Rows, silentRow(p, s.At))
	}
	out.Note = plural(count[fleet.Dispatcher], "dispatcher", "dispatchers") + ", " + plural(count[fleet.Responder], "responder", "responders")
	if n := len(s.Silent); n > 0 {
		out.Note += ", " + operator.Thousands(n) + " that went silent"
	}
	out.Facts = []fact{
		{Label: "Redis, all figures of this page", Value: fmt.Sprintf("read in %d ms", max(1, s.Took.Milliseconds()))},
		{Label: "Results that wait for SQL", Value: operator.Thousands(s.Backlog.Results)},
	}
	if s.Unwritten != nil {
		r := *s.Unwritten
		r.People = 0 // the figure is in the facts
		why := c.whyOf(&r, nil, s)
		out.Why = &why
	}
	return out
}

func rowOf(p fleet.Process, now time.Time) processRow {
	version, _, _ := strings.Cut(p.Version, " ")
	row := processRow{
		Tone: "is-completed", Role: string(p.Role), Where: fmt.Sprintf("%s · pid %d", p.Host, p.PID), Version: version,
		Up: span(now.Sub(p.StartedAt)), Held: operator.Thousands(p.Held), Wire: "–", Memory: fmt.Sprintf("%d MB", p.Memory>>20),
		Lease: "–", Beat: fmt.Sprintf("%.1f s ago", p.BeatAge.Seconds()), Note: noteOf(p),
	}
	if p.Role == fleet.Dispatcher {
		row.Wire = operator.Thousands(p.OnWire)
	}
	if p.Leases > 0 {
		row.Lease = fmt.Sprintf("%s, oldest %s", operator.Thousands(p.Leases), span(p.OldestLease))
	}
	switch {
	case p.BeatAge > lateAfter:
		row.Tone = "is-broken"
	case p.Phase != fleet.Serving, len(p.Warnings) > 0:
		row.Tone = "is-held"
	}
	return row
}

// noteOf says what the table has no column for.
func noteOf(p fleet.Process) string {
	notes := p.Notes()
	if len(p.Warnings) > 0 {
		notes = append(notes, p.Warnings[0].Message)
	}
	return strings.Join(notes, ", ")
}
