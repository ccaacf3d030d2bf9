package console

import (
	"testing"
	"time"

	"fanfare/internal/fleet"
	"fanfare/internal/operator"
	"fanfare/internal/warnings"
)

// The page shows what each process does, and marks those that need a look.
func TestFleetRows(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC)
	process := func(change func(*fleet.Process)) fleet.Process {
		p := fleet.Process{
			Role: fleet.Dispatcher, Host: "ops-1", PID: 7, Version: "v1 (1a2b)", StartedAt: now.Add(-time.Hour), Phase: fleet.Serving,
			Load: fleet.Load{Held: 3540, OnWire: 812, Leases: 18, OldestLease: 4 * time.Second}, Memory: 86 << 20, BeatAge: 600 * time.Millisecond,
		}
		change(&p)
		return p
	}
	s := &Snapshot{At: now, Backlog: operator.Backlog{Results: 9}, Fleet: []fleet.Process{
		process(func(*fleet.Process) {}),
		process(func(p *fleet.Process) { p.BeatAge = 5 * time.Second }),
		process(func(p *fleet.Process) { p.Phase, p.Campaign = fleet.Starting, "42" }),
		process(func(p *fleet.Process) { p.Warnings = []warnings.Current{{Message: "Redis write failed; retrying"}} }),
	}}
	c := new(Console)
	s.Unwritten = operator.WhyResultsWait(s.Backlog, s.Fleet)
	out := c.fleetOf(s, nil)
	s.Fleet[0].Project, s.Projects = "shop", []projectState{{ID: "shop"}, {ID: "news"}}
	if where := c.fleetOf(s, nil).Rows[0].Where; where != "ops-1 · pid 7 · shop" {
		t.Errorf("of several projects, a dispatcher is %q", where)
	}
	if out.Note != "4 dispatchers, 0 responders" || out.Why == nil || out.Why.Headline != "No responder is running" {
		t.Errorf("note %q and %+v", out.Note, out.Why)
	}
	want := processRow{
		Tone: "is-completed", Role: "dispatcher", Where: "ops-1 · pid 7", Version: "v1", Up: "1 h", Held: "3,540", Wire: "812", Memory: "86 MB",
		Lease: "18, oldest 4.0 s", Beat: "0.6 s ago",
	}
	if out.Rows[0] != want {
		t.Errorf("row %+v, want %+v", out.Rows[0], want)
	}
	for i, want := range []struct{ tone, note string }{
		{"is-completed", ""}, {"is-broken", ""}, {"is-held", "waits for FCM, serves campaign 42 alone"}, {"is-held", "Redis write failed; retrying"},
	} {
		if got := out.Rows[i]; got.Tone != want.tone || got.Note != want.note {
			t.Errorf("row %d is %s with %q, want %s with %q", i, got.Tone, got.Note, want.tone, want.note)
		}
	}
}
