package preflight

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"fanfare/internal/campaign"
	"fanfare/internal/checks"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
)

// atNoon is a project at 1,000 a second, without a ramp.
func atNoon() pacing.State {
	return pacing.State{
		Now:      time.Date(2030, 1, 1, 12, 3, 0, 0, time.UTC),
		Settings: pacing.Settings{Quota: 60_000}, Warm: 1,
	}
}

func TestForecastCountsWhoGoesBefore(t *testing.T) {
	for name, c := range map[string]struct {
		spec   campaign.Spec
		rivals []rival
		want   time.Duration
		others int64
	}{
		"alone":                      {campaign.Spec{Weight: 1}, nil, 100 * time.Second, 0},
		"its own cap":                {campaign.Spec{Weight: 1, Rate: 100}, nil, 1000 * time.Second, 0},
		"a cap above the quota":      {campaign.Spec{Weight: 1, Rate: 5000}, nil, 100 * time.Second, 0},
		"behind a higher priority":   {campaign.Spec{Weight: 1}, []rival{{50_000, 1, 5, 0}}, 150 * time.Second, 50_000},
		"before a lower priority":    {campaign.Spec{Weight: 1, Priority: 9}, []rival{{50_000, 1, 5, 0}}, 100 * time.Second, 0},
		"beside a small one":         {campaign.Spec{Weight: 1}, []rival{{20_000, 1, 0, 0}}, 120 * time.Second, 20_000},
		"beside a big one":           {campaign.Spec{Weight: 1}, []rival{{900_000, 1, 0, 0}}, 200 * time.Second, 100_000},
		"beside a heavy one":         {campaign.Spec{Weight: 1}, []rival{{900_000, 3, 0, 0}}, 400 * time.Second, 300_000},
		"behind a capped one":        {campaign.Spec{Weight: 1}, []rival{{1_000_000, 1, 5, 500}}, 200 * time.Second, 100_000},
		"a cap that leaves time":     {campaign.Spec{Weight: 1, Rate: 100}, []rival{{50_000, 1, 5, 0}}, 1000 * time.Second, 50_000},
		"behind one that takes long": {campaign.Spec{Weight: 1}, []rival{{1_000_000, 1, 5, 0.5}}, 100 * time.Second, 50},
	} {
		state := atNoon()
		f := newForecast(state, c.spec, 100_000, c.rivals, time.Time{})
		if took := f.Ends.Sub(state.Now); (took - c.want).Abs() > 2*time.Second {
			t.Errorf("%s: takes %s, want %s", name, took, c.want)
		}
		if off := f.Others - c.others; off < -1000 || off > 1000 {
			t.Errorf("%s: behind %d others, want %d", name, f.Others, c.others)
		}
	}
}

func TestForecastOfAHaltedProject(t *testing.T) {
	state := atNoon()
	state.Halts = []pacing.Halt{{Reason: "wrong project"}}
	f := newForecast(state, campaign.Spec{Weight: 1}, 10, nil, state.Now.Add(time.Hour))
	wantFinding(t, f.findings(state, campaign.Spec{}), "pace", checks.Failure, "wrong project")
	wantFinding(t, f.findings(state, campaign.Spec{}), "time", checks.Failure, "never")
}

func TestForecastOfADeadline(t *testing.T) {
	state, spec := atNoon(), campaign.Spec{Weight: 1}
	for deadline, want := range map[time.Duration]struct {
		grade checks.Grade
		says  string
	}{
		time.Hour:          {checks.Good, "after the last push"},
		105 * time.Second:  {checks.Warning, "leaves 5s"},
		50 * time.Second:   {checks.Failure, "of 100,000 recipients would end as expired"},
		-50 * time.Second:  {checks.Failure, "would be missed: 100,000 of 100,000"},
		-100 * time.Second: {checks.Failure, "would be missed: 100,000 of 100,000"},
	} {
		f := newForecast(state, spec, 100_000, nil, state.Now.Add(deadline))
		wantFinding(t, f.findings(state, spec), "deadline", want.grade, want.says)
	}
	f := newForecast(state, spec, 100_000, nil, time.Time{})
	wantFinding(t, f.findings(state, spec), "deadline", checks.Good, "none")
}

// The recipients that are not late are in time, and one more would not be.
func TestLateIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		state, spec := atNoon(), campaign.Spec{Weight: 1, Rate: float64(rapid.IntRange(0, 300).Draw(t, "rate"))}
		pushes := rapid.Int64Range(1, 200_000).Draw(t, "pushes")
		left := time.Duration(rapid.Int64Range(0, 300).Draw(t, "seconds")) * time.Second
		deadline := state.Now.Add(left)
		late := newForecast(state, spec, pushes, nil, deadline).Late
		ends := func(n int64) time.Time { _, at := estimateEnd(state, spec, n, nil); return at }
		if inTime := pushes - late; inTime > 0 && ends(inTime).After(deadline) {
			t.Errorf("%d of %d were said to be in time, and are not", inTime, pushes)
		} else if late > 0 && !ends(inTime+1).After(deadline) {
			t.Errorf("%d of %d were said to be late, and one is not", late, pushes)
		}
	})
}

func TestForecastNamesQuarterHours(t *testing.T) {
	state := atNoon()
	f := newForecast(state, campaign.Spec{Weight: 1}, 6_000_000, nil, time.Time{})
	wantFinding(t, f.findings(state, campaign.Spec{}), "quarter hours", checks.Warning, "and 2 more")
}

// The forecast counts the waits of a pace that avoids quarter hours.
func TestForecastAvoidsQuarterHours(t *testing.T) {
	s := openStage(t)
	settings := pacing.Settings{Quota: 60_000, AvoidQuarterHours: true}
	ok(t, s.governor.Set(t.Context(), settings))
	state, err := s.governor.State(t.Context())
	ok(t, err)
	f := newForecast(state, campaign.Spec{Weight: 1}, 6_000_000, nil, time.Time{})
	// 1,000 a second for at most 11 minutes of each 15.
	if took := f.Ends.Sub(state.Now); took < 2*time.Hour || took > 2*time.Hour+40*time.Minute {
		t.Errorf("takes %s", took)
	}
	equal(t, "quarter hours met", len(f.Quarters), 0)
	wantFinding(t, f.findings(state, campaign.Spec{}), "quarter hours", checks.Good, "avoided")
}

func TestRivalsAreThoseThatRun(t *testing.T) {
	s := openStage(t)
	for i, id := range []string{"1", "2", "3"} {
		s.create(id, personal, campaign.Running)
		for _, element := range people(10*(i+1), "good-") {
			ok(t, s.rdb.RPush(t.Context(), "campaign:"+id, element).Err())
		}
	}
	ok(t, s.checker.deps.Campaigns.Change(t.Context(), "2", campaign.Change{Weight: new(7), Priority: new(3), Rate: new(0.5)}))
	ok(t, s.checker.deps.Campaigns.Move(t.Context(), "3", campaign.Paused, ""))
	rivals, err := s.checker.listRivals(t.Context(), "1", "")
	ok(t, err)
	if len(rivals) != 1 || rivals[0] != (rival{20, 7, 3, 0.5}) {
		t.Errorf("got %+v", rivals)
	}
}

// People with two devices take twice the time, and are counted once.
func TestForecastCountsThePushesOfAllDevices(t *testing.T) {
	s := openStage(t)
	ok(t, s.checker.deps.Campaigns.Create(t.Context(), campaign.Spec{ID: "42", Message: notification.Message(personal), Rate: 1, Deadline: time.Now().Add(time.Minute)}))
	for i := range 50 {
		ok(t, s.rdb.RPush(t.Context(), "campaign:42", fmt.Sprintf(`{"userId":"u%d","devices":[{"token":"good-a%d"},{"token":"good-b%d"}],"vars":{"name":"A"}}`, i, i, i)).Err())
	}
	report, err := s.checker.Run(t.Context(), "42", s.options)
	ok(t, err)
	f := report.Forecast
	equal(t, "pushes", f.Pushes, 100)
	equal(t, "each", f.PushesEach, 2)
	if f.Late < 18 || f.Late > 22 { // 100 pushes at one a second, in a minute
		t.Errorf("%d people are late, want about 20", f.Late)
	}
	wantFinding(t, report.Findings, "time", checks.Good, "a recipient gets about 2 pushes, one for each device")
	wantFinding(t, report.Findings, "deadline", checks.Failure, "of 50 recipients would end as expired")
}
