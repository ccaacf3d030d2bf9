package operator

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/fleet"
	"fanfare/test/servers"
)

// A check says what is running. That nothing runs is no warning.
func TestCheckOfProcesses(t *testing.T) {
	t.Parallel()
	f := open(t)
	wantFinding(t, f.Check(t.Context()), "processes", checks.Good, "no dispatcher is running, no responder is running")
	beat := fleet.New(f.rdb, f.deps.Names).NewHeartbeat(fleet.Process{Role: fleet.Dispatcher}, idle{}, slog.New(slog.DiscardHandler))
	stop := beat.Start(t.Context())
	t.Cleanup(func() { _ = stop(context.Background()) })
	servers.Eventually(t, "the dispatcher beats", func() bool {
		all, err := f.Processes(t.Context())
		return err == nil && len(all) == 1
	})
	wantFinding(t, f.Check(t.Context()), "processes", checks.Good, "1 dispatcher is running, no responder is running")
}

type idle struct{}

func (idle) Load() fleet.Load { return fleet.Load{} }

// A reason says what the other dispatchers do.
func TestOtherDispatchers(t *testing.T) {
	t.Parallel()
	process := func(change func(*fleet.Process)) fleet.Process {
		p := fleet.Process{Role: fleet.Dispatcher, Host: "ops", Project: "q", StartedAt: time.Now()}
		change(&p)
		return p
	}
	equal(t, "others", describeOthers([]fleet.Process{
		process(func(p *fleet.Process) { p.Role = fleet.Responder }),
		process(func(p *fleet.Process) { p.Phase = fleet.Stopping }),
		process(func(p *fleet.Process) { p.Campaign = "7" }),
		process(func(*fleet.Process) {}),
		process(func(*fleet.Process) {}),
	}), "that on ops is stopping, that on ops serves campaign 7 alone, that on ops sends for project q, and 1 more")
}

// Results wait for a responder only if none is running.
func TestWhyResultsWait(t *testing.T) {
	t.Parallel()
	responder := []fleet.Process{{Role: fleet.Responder}}
	for name, c := range map[string]struct {
		waiting   int64
		processes []fleet.Process
		want      bool
	}{
		"none waits": {0, []fleet.Process{}, false}, "unknown": {5, nil, false}, "one runs": {5, responder, false}, "none runs": {5, []fleet.Process{}, true},
	} {
		if r := WhyResultsWait(Backlog{Results: c.waiting}, c.processes); (r != nil) != c.want || r != nil && (r.People != c.waiting || r.Next == "") {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// A campaign without a dispatcher says so, unless its project explains it better.
func TestWhyNoDispatcherRuns(t *testing.T) {
	t.Parallel()
	for cause, want := range map[HoldCause]bool{CauseProject: false, CauseNoAnswers: true} {
		v := View{Spec: campaign.Spec{ID: "42", State: campaign.Running}, Books: campaign.Books{Waiting: 5}, Hold: &Hold{Cause: cause}}
		reasons := Why(v, Surroundings{Now: time.Now(), Fleet: []fleet.Process{}})
		found := slices.ContainsFunc(reasons, func(r Reason) bool { return r.Kind == ReasonNoDispatcher })
		if found != want {
			t.Errorf("held by %s: %+v", cause, reasons)
		}
	}
}
