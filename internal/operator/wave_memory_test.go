package operator

import (
	"context"
	"errors"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
	"fanfare/internal/schedule"
)

// A wave runs if its turn is now and its campaign runs.
func TestWaveThatRuns(t *testing.T) {
	f := open(t)
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(36 * time.Hour) // at noon
	windows, err := schedule.ParseWindows("10:00-14:00")
	ok(t, err)
	ok(t, f.Create(t.Context(), campaign.Spec{ID: "42", Message: []byte(plainMessage), Windows: windows, TimeZone: "UTC"}))
	f.inZones("42", map[string]int{"UTC": 30, "Etc/GMT+5": 20})
	view, err := f.Show(t.Context(), "42")
	ok(t, err)
	state, _ := perMinute{now, 6000}.State(t.Context())
	for in, want := range map[campaign.State]int{campaign.Draft: 0, campaign.Paused: 0, campaign.Running: 1} {
		view.Spec.State = in
		plan, err := f.PlanWaves(t.Context(), view, state)
		ok(t, err)
		equal(t, "waves", len(plan.Waves), 2)
		equal(t, "running of a campaign that is "+string(in), plan.CountRunning(), want)
		equal(t, "the first runs", plan.Waves[0].Running, want == 1)
		equal(t, "the first opens", plan.Waves[0].Opens, now)
		equal(t, "the second opens", plan.Waves[1].Opens, now.Add(3*time.Hour))
	}
}

// countingPlanner counts how often it plans.
type countingPlanner struct {
	plans int
	err   error
}

func (p *countingPlanner) PlanWaves(context.Context, View, pacing.State) (*WavePlan, error) {
	p.plans++
	return &WavePlan{Unfit: int64(p.plans)}, p.err
}

// A plan serves all callers for half a minute. One that failed is not repeated before that.
func TestWaveMemory(t *testing.T) {
	t.Parallel()
	var memory WaveMemory
	from, now := &countingPlanner{}, time.UnixMilli(1_796_000_000_000)
	windows, err := schedule.ParseWindows("10:00-14:00")
	ok(t, err)
	view := View{Spec: campaign.Spec{ID: "42", State: campaign.Running, Windows: windows}}
	at := func(v View, after time.Duration) (int64, error) {
		plan, err := memory.Plan(t.Context(), from, v, pacing.State{}, now.Add(after))
		if plan == nil {
			return 0, err
		}
		return plan.Unfit, err
	}
	for _, step := range []struct {
		after time.Duration
		want  int64
	}{{0, 1}, {planAge - 1, 1}, {planAge, 2}, {2*planAge - 1, 2}} {
		got, err := at(view, step.after)
		ok(t, err)
		equal(t, "plan after "+step.after.String(), got, step.want)
	}
	other := view
	other.Spec.ID = "43"
	got, _ := at(other, planAge)
	equal(t, "plan of another campaign", got, 3)
	from.err = errors.New("Redis is away")
	if _, err := at(view, 2*planAge); !errors.Is(err, from.err) {
		t.Errorf("a plan that fails: %v", err)
	}
	_, err = at(view, 2*planAge+1)
	ok(t, err)
	equal(t, "plans", from.plans, 4)
	for _, none := range []View{{}, {Spec: campaign.Spec{ID: "42", State: campaign.Running}}, {Spec: campaign.Spec{ID: "42", State: campaign.Completed, Windows: windows}}} {
		got, err := at(none, time.Hour)
		ok(t, err)
		equal(t, "plan of "+string(none.Spec.State), got, 0)
	}
	equal(t, "plans", from.plans, 4)
}
