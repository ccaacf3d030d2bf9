package operator

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/pacing"
)

// With several projects, the view of a campaign says if none of them takes it. Only projects that
// were seen recently count.
func TestNoProjectTakesACampaign(t *testing.T) {
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	seen := func(id string, ago time.Duration) campaign.Project {
		return campaign.Project{ID: id, SeenAt: now.Add(-ago)}
	}
	mistake := campaign.Project{ID: "ab", NamedBy: "7"}
	for name, c := range map[string]struct {
		spec  campaign.Spec
		known []campaign.Project
		want  string // "" if one takes it
	}{
		"of the only one":            {campaign.Spec{Project: "a"}, []campaign.Project{seen("a", time.Hour)}, ""},
		"of none, of one":            {campaign.Spec{}, []campaign.Project{seen("a", 0)}, ""},
		"of one that looks":          {campaign.Spec{Project: "a"}, []campaign.Project{seen("a", 0), seen("b", 0)}, ""},
		"of one that looked lately":  {campaign.Spec{Project: "a"}, []campaign.Project{seen("a", 5*time.Minute-1), seen("b", 0)}, ""},
		"of one that looks no more":  {campaign.Spec{ID: "4 2", Project: "a"}, []campaign.Project{seen("a", 5*time.Minute), seen("b", 0)}, "no dispatcher of its Firebase project a runs, only of b: start one, or give it to another with: fanfare campaign set '4 2' --project PROJECT"},
		"while no one looks":         {campaign.Spec{Project: "a"}, []campaign.Project{seen("a", time.Hour), seen("b", time.Hour)}, ""},
		"of none, beside a mistake":  {campaign.Spec{ID: "42"}, []campaign.Project{seen("a", 0), mistake}, "several send from this Redis: a, ab; say whose it is with: fanfare campaign set 42 --project a; of ab no dispatcher was seen, and campaign 7 names it: if that is a mistake, correct it with: fanfare campaign set 7 --project a"},
		"of a project by mistake":    {campaign.Spec{ID: "7", Project: "ab"}, []campaign.Project{seen("a", 0), mistake}, "no dispatcher of its Firebase project ab runs, only of a"},
		"of none, and none was seen": {campaign.Spec{ID: "42"}, []campaign.Project{mistake, {ID: "b", NamedBy: "8"}}, "say whose it is with: fanfare campaign set 42 --project ab"},
	} {
		c.spec.State = campaign.Running
		held := findProjectHold(c.spec, c.known, now)
		if (held == nil) != (c.want == "") || held != nil && (held.Cause != CauseProject || !strings.Contains(held.Reason, c.want)) {
			t.Errorf("%s: got %+v, want %q", name, held, c.want)
		}
		if c.spec.State = campaign.Paused; findProjectHold(c.spec, c.known, now) != nil {
			t.Errorf("%s: held although it does not run", name)
		}
	}
}

// A view is of projects as they were two seconds ago at most: the list of them takes a look at all
// campaigns.
func TestViewRemembersTheProjects(t *testing.T) {
	f := open(t)
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	f.now = func() time.Time { return now }
	f.create("42", campaign.Running)
	isHeld := func() bool {
		view, err := f.Show(t.Context(), "42")
		ok(t, err)
		return view.Hold != nil && view.Hold.Cause == CauseProject
	}
	equal(t, "held without a project", isHeld(), false)
	for _, id := range []string{"a", "b"} {
		ok(t, f.Create(t.Context(), campaign.Spec{ID: "of-" + id, Message: []byte(plainMessage), Project: id}))
	}
	for _, step := range []struct {
		after time.Duration
		held  bool
	}{{0, false}, {projectsAge, false}, {1, true}} {
		now = now.Add(step.after)
		equal(t, "held at "+now.Format(time.RFC3339Nano), isHeld(), step.held)
	}
	for _, id := range []string{"of-a", "of-b"} {
		_, err := f.Delete(t.Context(), id, DeleteOptions{})
		ok(t, err)
	}
	equal(t, "held a moment after they are gone", isHeld(), true)
	now = now.Add(projectsAge + 1)
	equal(t, "held when that is known", isHeld(), false)
}

func TestFindHold(t *testing.T) {
	noon := time.Date(2030, 1, 1, 12, 3, 0, 0, time.UTC)
	gate := pacing.Gate{Until: noon.Add(time.Minute), Reason: "429", By: pacing.ByFCM}
	avoid := pacing.Settings{AvoidQuarterHours: true}
	for name, c := range map[string]struct {
		state pacing.State
		want  *Hold
	}{
		"free":                   {pacing.State{Now: noon, Settings: avoid}, nil},
		"a gate that was closed": {pacing.State{Now: noon.Add(time.Minute), Gate: gate}, nil},
		"a gate":                 {pacing.State{Now: noon, Gate: gate}, &Hold{Cause: CauseGate, Until: gate.Until, Reason: "429", By: pacing.ByFCM}},
		"a quarter hour": {
			pacing.State{Now: noon.Add(-4 * time.Minute), Settings: avoid}, &Hold{Cause: CauseQuarterHour, Until: noon.Add(-time.Minute)},
		},
		"a quarter hour that is not avoided": {pacing.State{Now: noon.Add(-4 * time.Minute)}, nil},
		"halts go before a gate": {
			pacing.State{Now: noon, Gate: gate, Halts: []pacing.Halt{{Reason: "a", Since: noon}, {Reason: "b", Since: gate.Until}}},
			&Hold{Cause: CauseHalt, Since: noon, Reason: "a; b"},
		},
		"halts of which one ends by itself": {
			pacing.State{Now: noon, Halts: []pacing.Halt{{Reason: pacing.WrongEndpoint, Since: noon}, {Reason: "b", Since: noon}}},
			&Hold{Cause: CauseHalt, Since: noon, Reason: pacing.WrongEndpoint + "; b"},
		},
		"halts of which the last one ends by itself": {
			pacing.State{Now: noon, Halts: []pacing.Halt{{Reason: "b", Since: noon}, {Reason: pacing.WrongEndpoint, Since: noon}}},
			&Hold{Cause: CauseHalt, Since: noon, Reason: "b; " + pacing.WrongEndpoint},
		},
		"a halt that ends by itself": {
			pacing.State{Now: noon, Halts: []pacing.Halt{{Reason: pacing.WrongEndpoint, Since: noon}}},
			&Hold{Cause: CauseHalt, Since: noon, Reason: pacing.WrongEndpoint, EndsByItself: true},
		},
	} {
		if got := FindHold(c.state); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// Only a gate that FCM has closed says something about the quota.
func TestAGateOfFCMAdvisesALowerQuota(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gate   pacing.Gate
		detail string
		advice bool
	}{
		{pacing.Gate{By: pacing.ByFCM, Reason: "Quota exceeded."}, "Quota exceeded.", true},
		{pacing.Gate{By: "ann@ops"}, "by ann@ops", false},
		{pacing.Gate{Reason: "closed by ann@ops"}, "closed by ann@ops", false}, // by an earlier version
		{pacing.Gate{}, "", false},
	} {
		c.gate.Until = time.Now().Add(time.Minute)
		r := FindHold(pacing.State{Now: time.Now(), Gate: c.gate}).Explain()
		if r.Detail != c.detail || strings.Contains(r.Next, "pacing.per_minute") != c.advice || r.Action != ActionNone {
			t.Errorf("%+v: %q, next %q, action %q", c.gate, r.Detail, r.Next, r.Action)
		}
	}
}
