package operator

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/history"
	"fanfare/internal/pacing"
)

// Each state that does not move has a reason, and a reason says what ends it.
func TestWhy(t *testing.T) {
	now := time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC)
	running := func(b campaign.Books) View {
		b.Loaded = b.CountEnded() + b.CountOpen()
		return View{Spec: campaign.Spec{ID: "42", State: campaign.Running, Weight: 1}, Books: b}
	}
	with := func(v View, change func(*View)) View { change(&v); return v }
	waits := campaign.Books{Waiting: 10}
	gate := pacing.State{Now: now, Settings: pacing.DefaultSettings(), Gate: pacing.Gate{Until: now.Add(time.Minute), Reason: "429"}}
	halted := pacing.State{Now: now, Settings: pacing.DefaultSettings(), Halts: []pacing.Halt{{Reason: "stop", Since: now, By: "ops"}}}
	dispatcher := func(project string) fleet.Process {
		return fleet.Process{Role: fleet.Dispatcher, Host: "ops", Project: project}
	}
	urgent := with(running(waits), func(v *View) { v.Spec.ID, v.Spec.Priority = "urgent", 5 })
	for name, each := range map[string]struct {
		view   View
		around Surroundings
		want   ReasonKind
		stops  bool
		itself bool
	}{
		"moves":       {view: running(campaign.Books{Waiting: 5, InFlight: 5})},
		"no audience": {view: running(campaign.Books{}), want: ReasonNoAudience, stops: true},
		"it comes":    {view: running(campaign.Books{Loading: true})},
		"ended":       {view: with(running(campaign.Books{Sent: 5}), func(v *View) { v.Spec.State = campaign.Completed })},
		"broken":      {view: with(running(waits), func(v *View) { v.Err = errors.New("message is missing") }), want: ReasonBroken, stops: true},
		"draft":       {view: with(running(waits), func(v *View) { v.Spec.State = campaign.Draft }), want: ReasonDraft, stops: true},
		"no message":  {view: with(running(waits), func(v *View) { v.Spec.State = "" }), want: ReasonNoMessage, stops: true},
		"paused":      {view: with(running(waits), func(v *View) { v.Spec.State, v.Spec.Reason = campaign.Paused, "typo" }), want: ReasonPaused, stops: true},
		"tripped": {view: with(running(waits), func(v *View) {
			v.Spec.State, v.Spec.Reason = campaign.Paused, "bad"
			v.Breaker.Last = &breaker.Trip{Reason: "bad"}
		}), want: ReasonTripped, stops: true},
		"gate":              {view: running(waits), around: Surroundings{Pace: &gate}, want: ReasonGate, stops: true, itself: true},
		"halt":              {view: running(waits), around: Surroundings{Pace: &halted}, want: ReasonHalt, stops: true},
		"priority":          {view: running(waits), around: Surroundings{Running: []View{urgent}}, want: ReasonPriority, stops: true, itself: true},
		"platform":          {view: with(running(campaign.Books{Waiting: 5, InFlight: 1, Retrying: 4}), func(v *View) { v.Breaker.Paused = map[string]string{"ios": "401"} }), want: ReasonPlatform},
		"only retries":      {view: running(campaign.Books{Retrying: 4, NextRetry: now.Add(time.Minute)}), want: ReasonRetriesLater, stops: true, itself: true},
		"many retries":      {view: running(campaign.Books{Waiting: 60, InFlight: 30, Retrying: 10, NextRetry: now.Add(40 * time.Second)}), want: ReasonRetriesLater, itself: true},
		"few retries":       {view: running(campaign.Books{Waiting: 60, InFlight: 31, Retrying: 9, NextRetry: now.Add(40 * time.Second)})},
		"retries are due":   {view: running(campaign.Books{Waiting: 60, InFlight: 30, Retrying: 10, NextRetry: now})},
		"own rate":          {view: with(running(campaign.Books{Waiting: 5, InFlight: 1}), func(v *View) { v.Spec.Rate = 2 }), want: ReasonRate, itself: true},
		"no dispatcher":     {view: running(waits), around: Surroundings{Fleet: []fleet.Process{}}, want: ReasonNoDispatcher, stops: true},
		"another's project": {view: with(running(waits), func(v *View) { v.Spec.Project = "p" }), around: Surroundings{Fleet: []fleet.Process{dispatcher("q")}}, want: ReasonNoDispatcher, stops: true},
		"its dispatcher":    {view: with(running(waits), func(v *View) { v.Spec.Project = "p" }), around: Surroundings{Fleet: []fleet.Process{dispatcher("q"), dispatcher("p")}}},
		"any dispatcher":    {view: running(waits), around: Surroundings{Fleet: []fleet.Process{dispatcher("q")}}},
		"undelivered":       {view: with(running(campaign.Books{InFlight: 1, Outbox: 9}), func(v *View) { v.Undelivered = errors.New("wrong type") }), want: ReasonUndelivered},
		"loss":              {view: with(running(campaign.Books{InFlight: 1}), func(v *View) { v.Books.Loaded, v.Books.Missing = 3, 2 }), want: ReasonLoss},
	} {
		t.Run(name, func(t *testing.T) {
			each.around.Now = now
			reasons := Why(each.view, each.around)
			if each.want == "" {
				if len(reasons) > 0 {
					t.Errorf("reasons %+v, want none", reasons)
				}
				return
			}
			if len(reasons) == 0 {
				t.Fatal("no reason")
			}
			r := reasons[0]
			if r.Kind != each.want || r.Stops != each.stops || r.EndsByItself != each.itself || r.Headline == "" {
				t.Errorf("reason %+v, want %s that stops it (%v) and ends by itself (%v)", r, each.want, each.stops, each.itself)
			}
			if !r.EndsByItself && r.Action == ActionNone && r.Next == "" {
				t.Errorf("reason %+v names no next step", r)
			}
		})
	}
}

// A pause says who paused the campaign, and when. What a breaker stopped is known by who paused it,
// so a list needs no look at the breakers.
func TestWhyNamesWhoPaused(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.create("42", campaign.Running)
	f.load("42", audienceOf(3), LoadOptions{Format: audience.CSV})
	for who, want := range map[string]string{
		"ann@ops": "Paused by ann@ops just now", "ops, console": "Paused by ops, console just now", "": "Paused just now",
		history.NameBreaker("dispatcher a", "bad_message"): "Stopped by a breaker just now",
	} {
		ok(t, f.deps.Campaigns.Move(history.WithActor(t.Context(), who), "42", campaign.Paused, "5 of 5 are 400"))
		shown, err := f.Show(t.Context(), "42")
		ok(t, err)
		f.Explain(t.Context(), &shown, nil)
		listed, err := f.List(t.Context())
		ok(t, err)
		f.ExplainAll(t.Context(), listed, nil)
		for from, v := range map[string]View{"shown": shown, "listed": listed[0]} {
			r := v.Reasons[0]
			if got := r.Title(time.Now()); got != want || r.By != who || r.Since.IsZero() || r.Detail != "5 of 5 are 400" {
				t.Errorf("%s, paused by %q: %q of %+v, want %q", from, who, got, r, want)
			}
			text, err := json.Marshal(v)
			ok(t, err)
			if by := `"by":` + strconv.Quote(who); who != "" && !strings.Contains(string(text), by) {
				t.Errorf("%s: %s lacks %s", from, text, by)
			}
		}
		ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Running, ""))
	}
}

// The age of a pause is in its title, and any other moment beside it.
func TestTitlesOfReasons(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	moment := func(time.Time) string { return "noon" }
	paused, gate := Reason{Kind: ReasonPaused, Headline: "Paused"}, Reason{Kind: ReasonGate, Headline: "Closed", Since: now}
	equal(t, "a pause of unknown age", paused.Title(now)+paused.When(moment), "Paused")
	for age, want := range map[time.Duration]string{
		-time.Second: "just now", 59 * time.Second: "just now", time.Minute: "1 min ago", 12*time.Minute + 59*time.Second: "12 min ago",
		time.Hour: "1 h ago", 47 * time.Hour: "47 h ago", 48 * time.Hour: "2 days ago",
	} {
		paused.Since = now.Add(-age)
		equal(t, age.String(), paused.Title(now)+paused.When(moment), "Paused "+want)
		equal(t, age.String()+" without now", paused.Title(time.Time{})+paused.When(moment), "Paused")
	}
	equal(t, "since", gate.Title(now)+gate.When(moment), "Closed since noon")
	gate.Until = now
	equal(t, "until", gate.Title(now)+gate.When(moment), "Closed until noon")
}

// The quota is a reason once it is used up or grows, with figures and the share beside equals.
func TestWhyNamesTheQuota(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	settings := pacing.DefaultSettings()
	full := settings.Rate()
	moves := View{Spec: campaign.Spec{ID: "42", State: campaign.Running, Weight: 1}, Books: campaign.Books{Loaded: 1_000_000, Waiting: 999_999, InFlight: 1}}
	few := moves
	few.Books.Waiting = 9
	fast := func(id string, weight int, pushes float64) View {
		v := moves
		v.Spec.ID, v.Spec.Weight, v.Forecast = id, weight, &Forecast{Rate: 1, pushes: pushes}
		return v
	}
	pace := func(change func(*pacing.State)) *pacing.State {
		s := pacing.State{Now: now, Settings: settings, Rate: full, Warm: 1}
		change(&s)
		return &s
	}
	whole := pace(func(*pacing.State) {})
	slow := moves
	slow.Spec.Rate = 2
	for name, c := range map[string]struct {
		view    View
		pace    *pacing.State
		running []View
		want    string // of the detail
	}{
		"used up":      {moves, whole, []View{fast("42", 1, full)}, "all of its " + Decimal(full) + " pushes a second"},
		"with equals":  {moves, whole, []View{fast("42", 1, full/2), fast("43", 15, full/2)}, "1 campaign, and its weight is 1 of 16: about " + Decimal(math.Round(full/16)) + " a second"},
		"few wait":     {few, pace(func(s *pacing.State) { s.Warm, s.Rate = 0.5, full/2 }), nil, ""},
		"it grows":     {moves, pace(func(s *pacing.State) { s.Warm, s.Rate = 0.5, full/2 }), nil, Decimal(full/2) + " of " + Decimal(full) + " pushes a second now, full in " + Span(settings.Ramp/2)},
		"not used up":  {moves, whole, []View{fast("42", 1, full/2)}, ""},
		"unknown":      {moves, whole, []View{moves}, ""},
		"another's":    {moves, whole, []View{fast("42", 1, full/2), func() View { v := fast("43", 1, full); v.Spec.Project = "q"; return v }()}, ""},
		"its own rate": {slow, whole, []View{fast("42", 1, full)}, ""},
		"closed":       {moves, pace(func(s *pacing.State) { s.Rate, s.Gate = 0, pacing.Gate{Until: now.Add(time.Minute)} }), []View{fast("42", 1, full)}, ""},
	} {
		c.view.Spec.Project = "p"
		for i := range c.running {
			c.running[i].Spec.Project = cmp.Or(c.running[i].Spec.Project, "p")
		}
		found := ""
		for _, r := range Why(c.view, Surroundings{Now: now, Pace: c.pace, Running: c.running}) {
			if r.Kind == ReasonQuota {
				found = r.Detail
				if r.Stops || !r.EndsByItself || r.Next == "" || r.People != c.view.Books.Waiting {
					t.Errorf("%s: %+v", name, r)
				}
			}
		}
		if c.want == "" && found != "" || !strings.Contains(found, c.want) {
			t.Errorf("%s: says %q, want %q", name, found, c.want)
		}
	}
}

// Of several campaigns of higher priority the highest is named: to equal it is what helps.
func TestWhyNamesTheHighestPriority(t *testing.T) {
	t.Parallel()
	other := func(id string, priority int, waiting int64, rate float64) View {
		return View{Spec: campaign.Spec{ID: id, State: campaign.Running, Priority: priority}, Books: campaign.Books{Waiting: waiting}, Forecast: &Forecast{Rate: rate}}
	}
	v := View{Spec: campaign.Spec{ID: "42", State: campaign.Running}, Books: campaign.Books{Loaded: 10, Waiting: 10}}
	settings := pacing.DefaultSettings()
	settings.Quota, settings.Headroom = 600, 0
	around := Surroundings{Pace: &pacing.State{Settings: settings}, Running: []View{v, other("large", 2, 1000, 4), other("small", 5, 100, 1)}}
	r := Why(v, around)[0]
	equal(t, "headline", r.Headline, "Priority 5 goes first")
	equal(t, "detail", r.Detail, "small and 1 more take the whole quota, with 1,100 people to go, about 1m50s to 3m40s")
	equal(t, "next", r.Next, "nothing to do; or raise its priority: fanfare campaign set 42 --priority 5")
	around.Pace = nil
	equal(t, "without a pace", strings.HasSuffix(Why(v, around)[0].Detail, "to go, about 3m40s"), true)
}

// A campaign of another project has another quota, so it goes before no one here.
func TestWhyNamesNoOtherProjectsPriority(t *testing.T) {
	t.Parallel()
	of := func(id, project string, priority int) View {
		return View{Spec: campaign.Spec{ID: id, State: campaign.Running, Project: project, Priority: priority}, Books: campaign.Books{Loaded: 10, Waiting: 10}}
	}
	for project, want := range map[string]bool{"p": true, "": true, "q": false} {
		reasons := Why(of("42", "p", 0), Surroundings{Running: []View{of("42", "p", 0), of("43", project, 5)}})
		named := slices.ContainsFunc(reasons, func(r Reason) bool { return r.Kind == ReasonPriority })
		equal(t, "a campaign of project "+project+" goes first", named, want)
	}
}

// Retries that wait beside others are the last of the reasons, with their number and the time.
func TestWhyNamesRetriesLast(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_700_000_000, 0)
	v := View{Spec: campaign.Spec{ID: "42", State: campaign.Running, Rate: 5}, Books: campaign.Books{Waiting: 5, InFlight: 1, Retrying: 4, NextRetry: now.Add(40 * time.Second)}}
	reasons := Why(v, Surroundings{Now: now})
	if len(reasons) != 2 || reasons[0].Kind != ReasonRate || reasons[1].People != 4 || reasons[1].Detail != "the first is due in 40s" {
		t.Errorf("reasons %+v, want its own rate and then 4 retries in 40s", reasons)
	}
}

// A reason that stops the whole campaign comes before one that keeps back a part of it.
func TestWhyNamesTheWholeBeforeTheParts(t *testing.T) {
	v := View{Spec: campaign.Spec{ID: "42", State: campaign.Running, Weight: 1, Rate: 5}, Books: campaign.Books{Loaded: 10, Waiting: 10}}
	v.Hold = &Hold{Cause: CauseNoAnswers, Reason: "FCM gives no answers", EndsByItself: true}
	reasons := Why(v, Surroundings{})
	if len(reasons) != 2 || reasons[0].Kind != ReasonNoAnswers || reasons[1].Kind != ReasonRate || reasons[0].People != 10 {
		t.Errorf("reasons %+v, want the silence of FCM and then its own rate", reasons)
	}
}

// A reason says until when it holds, or since when unless its title does.
func TestMomentsOfReasons(t *testing.T) {
	t.Parallel()
	since, until := time.Unix(100, 0), time.Unix(200, 0)
	seconds := func(at time.Time) string { return strconv.FormatInt(at.Unix(), 10) }
	for want, r := range map[string]Reason{
		"":           {Kind: ReasonGate},
		" until 200": {Kind: ReasonGate, Since: since, Until: until},
		" since 100": {Kind: ReasonGate, Since: since},
	} {
		if got := r.When(seconds); got != want {
			t.Errorf("%+v: %q, want %q", r, got, want)
		}
	}
	if got := (Reason{Kind: ReasonPaused, Since: since}).When(seconds); got != "" {
		t.Errorf("a pause, whose title says since when, adds %q", got)
	}
}
