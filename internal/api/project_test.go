package api

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
)

// fakePace is the pace of a project. It records in the system what was asked of it.
type fakePace struct {
	*fakeSystem

	id    string
	halts []pacing.Halt
	gate  pacing.Gate
}

func (f fakePace) State(context.Context) (pacing.State, error) {
	return pacing.State{Now: time.UnixMilli(1_796_000_000_000), Settings: pacing.DefaultSettings(), Halts: f.halts, Gate: f.gate}, f.err
}
func (f fakePace) Halt(_ context.Context, reason string) error {
	return f.act("halt %s: %s", f.id, reason)
}
func (f fakePace) Resume(context.Context) error { return f.act("resume %s", f.id) }
func (f fakePace) ResumeFrom(_ context.Context, reason string) (bool, error) {
	return true, f.act("resume %s from %s", f.id, reason)
}
func (f fakePace) Set(_ context.Context, s pacing.Settings) error {
	return f.act("set %s: %d", f.id, s.Quota)
}
func (f fakePace) Note(_ context.Context, what, detail string) error {
	return f.act("note in %s: %s %s", f.id, what, detail)
}
func (f fakePace) History(context.Context) ([]notification.HistoryEntry, error) {
	return []notification.HistoryEntry{{What: "halted", Detail: "history of " + f.id}}, f.err
}

// openProjects serves an API with the projects news, which is halted, shop, and idle without a
// quota.
func openProjects(t *testing.T) *fixture {
	t.Helper()
	system := &fakeSystem{}
	f := open(t,
		operator.Project{ID: "news", Pace: fakePace{system, "news", []pacing.Halt{{Reason: "wrong link"}}, pacing.Gate{Until: time.UnixMilli(1_796_000_060_000), By: "ann@ops"}}},
		operator.Project{ID: "shop", Pace: fakePace{system, "shop", nil, pacing.Gate{}}},
		operator.Project{ID: "idle"})
	f.system = system
	return f
}

// Each of several projects is shown and acted on by its own path. The path of the only project says
// which there are.
func TestSeveralProjects(t *testing.T) {
	t.Parallel()
	f := openProjects(t)
	status, text := f.send(http.MethodGet, "/projects", "")
	for _, want := range []string{`{"project":"news","quota":{"project":"news",`, `"reason":"wrong link"`, `"gateBy":"ann@ops"`, `{"project":"shop","quota":{`, `{"project":"idle","quota":null}`} {
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("the list is %d %s, want %s", status, text, want)
		}
	}
	f.expect(http.StatusOK, `{"project":"shop","quota":{"project":"shop",`, http.MethodGet, "/projects/shop", "")
	f.expect(http.StatusOK, "history of shop", http.MethodGet, "/projects/shop/history", "")
	f.expect(http.StatusOK, `{"quota":{"project":"shop",`, http.MethodPost, "/projects/shop/halt", `{"reason":"rain"}`)
	f.expect(http.StatusOK, `{"quota":{"project":"news",`, http.MethodPost, "/projects/news/resume", "")
	if got := strings.Join(f.system.acted, "; "); got != "halt shop: rain; resume news" {
		t.Errorf("acted %q", got)
	}
	for _, path := range []string{"/projects/other", "/projects/other/history"} {
		f.expect(http.StatusNotFound, `There is no project \"other\"; the settings have news, shop, idle.`, http.MethodGet, path, "")
	}
	for _, action := range []string{"/halt", "/resume"} {
		f.expect(http.StatusNotFound, "No such project", http.MethodPost, "/projects/other"+action, "")
		f.expect(http.StatusNotImplemented, "Pacing is disabled for idle", http.MethodPost, "/projects/idle"+action, "")
		f.expect(http.StatusUnprocessableEntity, "there are several projects: use /api/v1/projects/{id}, with one of news, shop, idle", http.MethodPost, "/project"+action, "")
	}
	f.expect(http.StatusUnprocessableEntity, "there are several projects", http.MethodGet, "/project/history", "")
	if len(f.system.acted) != 2 {
		t.Errorf("refused requests acted: %q", f.system.acted)
	}
}

// With one project, the paths without an id are for it, and so are those with it.
func TestTheOnlyProject(t *testing.T) {
	t.Parallel()
	system := &fakeSystem{}
	f := open(t, operator.Project{ID: "shop", Pace: fakePace{system, "shop", nil, pacing.Gate{}}})
	f.expect(http.StatusOK, "history of shop", http.MethodGet, "/project/history", "")
	f.expect(http.StatusOK, `{"quota":{"project":"shop",`, http.MethodPost, "/project/halt", `{"reason":"rain"}`)
	f.expect(http.StatusOK, `{"projects":[{"project":"shop","quota":{`, http.MethodGet, "/projects", "")
	f.expect(http.StatusOK, `{"quota":{"project":"shop",`, http.MethodPost, "/projects/shop/resume", "")
	if got := strings.Join(system.acted, "; "); got != "halt shop: rain; resume shop" {
		t.Errorf("acted %q", got)
	}
	open(t).expect(http.StatusOK, `{"projects":[]}`, http.MethodGet, "/projects", "")
}
