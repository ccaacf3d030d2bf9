package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// openProjects serves a console with the projects shop, which sends, news, which is halted, and
// idle without a quota. Each of the first two has a running campaign.
func openProjects(t *testing.T) *fixture {
	t.Helper()
	f := open(t, Options{Operate: true, Actor: "ops"})
	pace := pacing.State{Now: now, Settings: pacing.DefaultSettings(), Rate: 9900, Warm: 1}
	halted := pace
	halted.Halts = []pacing.Halt{{Reason: "credentials are being rotated", Since: now.Add(-time.Minute), By: "An"}}
	f.console.deps.Projects = operator.Projects{
		{ID: "shop", Pace: fakeProject{f.system, pace}}, {ID: "news", Pace: fakeProject{f.system, halted}}, {ID: "idle"},
	}
	ours, theirs := view("ours", campaign.Running, campaign.Books{Waiting: 40}), view("theirs", campaign.Running, campaign.Books{Sent: 5, Waiting: 60})
	ours.Spec.Project, ours.Spec.Weight = "shop", 2
	theirs.Spec.Project, theirs.Spec.Weight, theirs.Spec.Priority = "news", 3, 9
	f.system.views = []operator.View{ours, theirs}
	f.refresh()
	return f
}

func wantTexts(t *testing.T, what, text string, wanted ...string) {
	t.Helper()
	for _, want := range wanted {
		if !strings.Contains(text, want) {
			t.Errorf("%s does not say %q", what, want)
		}
	}
}

// The form of a new campaign offers the projects if there are several. Another one can be typed.
func TestNewCampaignOffersProjects(t *testing.T) {
	t.Parallel()
	f := openProjects(t)
	f.system.views[0].Spec.Project = "elsewhere"
	f.refresh()
	wantTexts(t, "the form", f.get("/new").text, `list="n-projects"`, `<option value="elsewhere"></option><option value="idle"></option><option value="news"></option><option value="shop"></option></datalist>`)
	if text := open(t, Options{Operate: true}).get("/new").text; strings.Contains(text, "datalist") || !strings.Contains(text, `placeholder="the only one"`) {
		t.Error("a console of one project offers several")
	}
}

// The page of the quota lists several projects, those that stand still first, and each has a page.
func TestQuotaListsSeveralProjects(t *testing.T) {
	t.Parallel()
	f := openProjects(t)
	list := f.get("/quota").text
	wantTexts(t, "the list", list, `href="/projects/shop"`, `href="/projects/news/resume"`, `href="/projects/shop/halt"`, "Credentials are being rotated", "No quota", "3 projects", "1 of 3 stopped", "Fleet")
	if strings.Index(list, `"/projects/news"`) > strings.Index(list, `"/projects/shop"`) {
		t.Error("the halted project is not the first")
	}
	if strings.Contains(list, `"/projects/idle/halt"`) {
		t.Error("a project without a quota can be halted")
	}
	page := f.get("/projects/news").text
	wantTexts(t, "the page of a project", page, "The project is halted", "credentials are being rotated", "1 running campaign waits", `href="/projects/news/resume"`, "Ready to ask for more quota?", "wrong link in the banner")
	if strings.Contains(page, "Fleet</h2>") {
		t.Error("the page of a project shows the fleet of all")
	}
	wantTexts(t, "a project without a quota", f.get("/projects/idle").text, "Pacing is disabled for this project")
}

// A closed gate says who closed it. Only FCM asks for a Retry-After.
func TestAClosedGateSaysByWhom(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		gate        pacing.Gate
		title, text string
	}{
		{pacing.Gate{By: pacing.ByFCM, Reason: "429: slow down"}, "Sending paused by FCM: 429: slow down<", "at 14:01:00 UTC, as Retry-After asks; then"},
		{pacing.Gate{By: "ann@ops"}, "Sending paused by ann@ops<", "at 14:01:00 UTC; then"},
		{pacing.Gate{Reason: "closed by ann@ops"}, "Sending paused: closed by ann@ops<", "at 14:01:00 UTC; then"},
	} {
		f := open(t, Options{})
		c.gate.Until = now.Add(time.Minute)
		f.console.deps.Projects[0].Pace = fakeProject{f.system, pacing.State{Now: now, Settings: pacing.DefaultSettings(), Gate: c.gate}}
		f.refresh()
		wantTexts(t, "the page", f.get("/quota").text, c.title, c.text)
	}
}

// An action goes to the project of its path.
func TestActionsOnOneOfSeveralProjects(t *testing.T) {
	t.Parallel()
	f := openProjects(t)
	wantTexts(t, "the dialog", f.get("/projects/shop/halt").text, "Halt shop?", "<dd>1</dd>", "<dd>40</dd>", `action="/projects/shop/halt"`)
	wantStatus(t, f.post("/projects/shop/halt", url.Values{"reason": {"rain"}}), http.StatusOK)
	if got, want := f.system.done(), "halt project: rain (ops, console)"; got != want {
		t.Errorf("done: %q, want %q", got, want)
	}
	refused := f.post("/quota/halt", url.Values{})
	wantStatus(t, refused, http.StatusUnprocessableEntity)
	wantTexts(t, "the refusal", refused.text, "choose one of shop, news, idle")
	wantStatus(t, f.post("/projects/idle/halt", url.Values{}), http.StatusUnprocessableEntity)
	for _, r := range []reply{f.get("/projects/other"), f.get("/projects/other/halt"), f.post("/projects/other/halt", url.Values{})} {
		wantStatus(t, r, http.StatusNotFound)
		wantTexts(t, r.Request.URL.Path, r.text, "o such project", "they have: shop, news, idle")
	}
	if strings.Contains(f.system.done(), "\n") {
		t.Errorf("a refused action was done: %s", f.system.done())
	}
}

// A campaign is explained by its own project: neither the halt nor the priority of another
// project's campaign holds it.
func TestCampaignsDependOnTheirProject(t *testing.T) {
	t.Parallel()
	f := openProjects(t)
	ours, theirs := f.get("/campaigns/ours").text, f.get("/campaigns/theirs").text
	wantTexts(t, "a campaign of the halted project", theirs, "The project is halted", `href="/projects/news"`, ", halted")
	wantTexts(t, "a campaign of the other", ours, `href="/projects/shop"`, "of 594,000 this minute", "of 2</span>")
	for _, wrong := range []string{"The project is halted", "goes first"} {
		if strings.Contains(ours, wrong) {
			t.Errorf("a campaign of the other project is held: %s", wrong)
		}
	}
}

// With one project no page names it where it did not before.
func TestOneProjectIsNotListed(t *testing.T) {
	t.Parallel()
	f := open(t, Options{Operate: true})
	f.system.views[0].Spec.Project = "shop"
	f.refresh()
	wantTexts(t, "the quota", f.get("/quota").text, "The present minute", `href="/quota/halt"`, `<span class="project">shop</span>`)
	if strings.Contains(f.get("/campaigns/running").text, "/projects/") || strings.Contains(f.get("/quota").text, "/projects/") {
		t.Error("a page links to the only project")
	}
}
