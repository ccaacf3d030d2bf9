package operator

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"fanfare/internal/audience"
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

// While something waits, it is a caution that nothing runs that would take it, for each project.
func TestCheckOfAbsentProcesses(t *testing.T) {
	t.Parallel()
	f := open(t)
	for id, project := range map[string]string{"a": "p", "b": "q", "c": "q"} {
		f.create(id)
		f.load(id, audienceOf(3), LoadOptions{Format: audience.CSV})
		ok(t, f.deps.Campaigns.Change(t.Context(), id, campaign.Change{Project: &project}))
	}
	wantFinding(t, f.Check(t.Context()), "processes", checks.Good, "no dispatcher is running, no responder is running")
	for _, id := range []string{"a", "b", "c"} {
		ok(t, f.deps.Campaigns.Move(t.Context(), id, campaign.Running, ""))
	}
	absent := func() error {
		return f.findAbsent(t.Context(), []fleet.Process{{Role: fleet.Dispatcher, Project: "p"}})
	}
	mentions(t, absent(), "No dispatcher is running for project q, and campaigns", "wait; start one: dispatcher")
	ok(t, f.rdb.RPush(t.Context(), f.deps.Names.Responses, `{}`).Err())
	mentions(t, absent(), "project q", "No responder is running, and 1 result not in SQL yet; ", "start one: responder")
	wantFinding(t, f.Check(t.Context()), "processes", checks.Warning, "No dispatcher is running for project p, and campaign a waits; No dispatcher is running for project q")
}

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
