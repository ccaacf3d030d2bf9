package console

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// What to do is split into words and the commands to type. A quoted id may have a semicolon.
func TestStepsOf(t *testing.T) {
	t.Parallel()
	say, run := func(text string) step { return step{Text: text} }, func(text string) step { return step{text, true} }
	for next, want := range map[string][]step{
		"":                                  nil,
		"fanfare campaign resume 42":        {run("fanfare campaign resume 42")},
		"check the database: fanfare check": {say("Check the database: "), run("fanfare check")},
		"start one: dispatcher; or for this campaign alone: dispatcher --campaign 42": {
			say("Start one: "), run("dispatcher"), say("; or for this campaign alone: "), run("dispatcher --campaign 42"),
		},
		"nothing to do: it resumes when FCM answers a probe; or fanfare project resume": {
			say("Nothing to do: it resumes when FCM answers a probe; or "), run("fanfare project resume"),
		},
		"fanfare load 'a; b' FILE; or have the application push them":              {run("fanfare load 'a; b' FILE"), say("; or have the application push them")},
		"lower pacing.per_minute to the project's quota; see the dispatcher's log": {say("Lower pacing.per_minute to the project's quota; see the dispatcher's log")},
		"start one: responder": {say("Start one: "), run("responder")},
	} {
		if got := stepsOf(next); !slices.Equal(got, want) {
			t.Errorf("%q is split into %+v, want %+v", next, got, want)
		}
	}
}

// Beside each reason stands what to do: the button for those who operate, the command for others.
func TestReasonsSayWhatToDo(t *testing.T) {
	t.Parallel()
	type page struct {
		path     string
		reader   string // what only those who read see
		operator string // what those who operate see
	}
	pages := []page{
		{"/campaigns/paused", "<code>fanfare campaign resume paused</code>", `href="/campaigns/paused/resume">Resume…`},
		{"/campaigns/draft", "<code>fanfare campaign start draft</code>", `href="/campaigns/draft/start">Start…`},
		{"/campaigns/running", "<code>fanfare project resume</code>", `href="/quota/resume">Resume the project…`},
		{"/campaigns/low", "<code>fanfare campaign set low --priority 5</code>", "<code>fanfare campaign set low --priority 5</code>"},
		{"/campaigns/broken", "<code>fanfare campaign show broken</code>", "<code>fanfare campaign show broken</code>"},
	}
	for _, operate := range []bool{false, true} {
		f := open(t, Options{Operate: operate})
		f.change(func(s *pacing.State) { s.Halts = []pacing.Halt{{Reason: "wrong app", Since: now}} })
		list := f.get("/campaigns").text
		for _, p := range pages {
			text, want := f.get(p.path).text, p.reader
			if operate {
				want = p.operator
			}
			whys := strings.Join(regexp.MustCompile(`(?s)<section class="why .*?</section>`).FindAllString(text, -1), "")
			if !strings.Contains(whys, want) {
				t.Errorf("operate %v: %s does not say %s in %s", operate, p.path, want, whys)
			}
			if operate && p.reader != p.operator && strings.Contains(whys, p.reader) {
				t.Errorf("%s says the command beside the button that does it", p.path)
			}
		}
		if said := strings.Contains(list, "<code>fanfare campaign resume paused</code>"); said == operate {
			t.Errorf("operate %v: the list says the command: %v", operate, said)
		}
	}
}

// A pause says who paused it and how long ago, in the list and on its page.
func TestPausesNameWhoAndWhen(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	for _, path := range []string{"/campaigns", "/campaigns/paused"} {
		wantTexts(t, path, f.get(path).text, "Paused by ops@host 12 min ago", "Wrong link. 5 people wait.")
	}
}

// A cancelled campaign says who cancelled it, how long ago and why, in the list and on its page.
func TestCancelledNamesWhoAndWhen(t *testing.T) {
	t.Parallel()
	f := open(t, Options{})
	spec := &f.system.views[len(f.system.views)-1].Spec
	spec.CancelledBy, spec.Reason, spec.FinishedAt = "ann@host", "wrong day", now.Add(-5*time.Minute)
	f.refresh()
	wantTexts(t, "the list", f.get("/campaigns").text, "Cancelled by ann@host 5 min ago: “wrong day”.")
	wantTexts(t, "its page", f.get("/campaigns/cancelled").text, "Cancelled by ann@host 5 min ago: wrong day")
	spec.CancelledBy, spec.Reason = "", ""
	f.refresh()
	wantTexts(t, "the list", f.get("/campaigns").text, "Cancelled 13:55:00.")
}

// A part of a campaign that waits for a person has its colour and its button in the list, although
// the rest moves. What ends by itself has neither.
func TestListShowsAPlatformOnHold(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	button := `href="/campaigns/running/resume">Resume…</a>`
	if text := f.get("/campaigns").text; strings.Contains(text, button) {
		t.Error("a campaign that moves has a button")
	}
	f.system.views[0].Breaker.Paused = map[string]string{"ios": "5 of 5 are 401"}
	f.refresh()
	wantTexts(t, "the list", f.get("/campaigns").text, `<span class="tone is-held">iOS is on hold:</span> 5 of 5 are 401`, button)
}

// A gate that was closed by hand has its own dialog. Other projects' buttons name the project.
func TestRemediesBelongToTheProject(t *testing.T) {
	t.Parallel()
	c := &Console{opts: Options{Prefix: "/fanfare"}}
	each := &Campaign{}
	pace := new(pacing.State)
	one, two := &Snapshot{Projects: []projectState{{"shop", pace}}}, &Snapshot{Projects: []projectState{{"shop", pace}, {"news", nil}}}
	for _, example := range []struct {
		s       *Snapshot
		project string
		want    string
	}{{one, "", "/fanfare/quota/open"}, {two, "shop", "/fanfare/projects/shop/open"}, {two, "news", ""}, {two, "", ""}, {two, "other", ""}} {
		each.Spec.Project = example.project
		if got, _ := c.remedyOf(&operator.Reason{Action: operator.ActionOpenGate}, each, example.s); got != example.want {
			t.Errorf("the button for project %q leads to %q, want %q", example.project, got, example.want)
		}
	}
}
