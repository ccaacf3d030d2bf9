package config_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"fanfare/internal/config"
)

const twoProjects = `
fcm: {timeout: 20s}
pacing: {per_minute: 600000}
dispatcher: {projects: [news]}
projects:
  shop:
    fcm: {credentials_file: shop.json}
    pacing: {per_minute: 300000}
  news:
    fcm:
      credentials_file: news.json
`

// A project has the settings of its own, and those of all projects for the rest. A dispatcher
// serves the projects that it names, else all.
func TestProjectsOverlayTheSettings(t *testing.T) {
	s := mustLoad(t, twoProjects, nil, []string{"FCM_CREDENTIALS={}"})
	if ids := s.ProjectIDs(); !slices.Equal(ids, []string{"shop", "news"}) {
		t.Errorf("the projects are %q", ids)
	}
	shop, known := s.ForProject("shop")
	if !known || shop.FCM.ProjectID != "shop" || shop.FCM.CredentialsFile != "shop.json" || shop.FCM.Credentials != "" {
		t.Errorf("the credentials of shop: %+v", shop.FCM)
	}
	if shop.Pacing.PerMinute != 300000 || shop.FCM.Timeout != s.FCM.Timeout {
		t.Errorf("shop has %d a minute and the timeout %v", shop.Pacing.PerMinute, shop.FCM.Timeout)
	}
	news, _ := s.ForProject("news")
	if news.Pacing.PerMinute != 600000 {
		t.Errorf("news has %d a minute, want those of all projects", news.Pacing.PerMinute)
	}
	if served := s.Served(); len(served) != 1 || served[0].FCM.ProjectID != "news" {
		t.Errorf("%d projects are served, want news alone", len(served))
	}
	s.Dispatcher.Projects = nil
	if served := s.Served(); len(served) != 2 {
		t.Errorf("%d projects are served, want both", len(served))
	}
	if _, known := s.ForProject("other"); known {
		t.Error("a project is known that is not in the file")
	}
}

// Without a section projects, there is one project: that of the settings.
func TestWithoutProjectsThereIsOne(t *testing.T) {
	s := mustLoad(t, "fcm: {project_id: only}", nil, nil)
	if served := s.Served(); len(served) != 1 || served[0].FCM.ProjectID != "only" {
		t.Errorf("served: %d projects", len(served))
	}
	if _, known := s.ForProject("any"); !known {
		t.Error("settings without a section projects hold for any")
	}
}

func TestProjectsAreListedWithTheirOrigin(t *testing.T) {
	s := mustLoad(t, twoProjects, nil, nil)
	var listed []string
	for _, v := range s.Values() {
		if strings.HasPrefix(v.Key.Name, "projects.") {
			_, line, _ := strings.Cut(v.Origin, ".yaml:")
			listed = append(listed, v.Key.Name+"="+v.Text+":"+line)
		}
	}
	want := []string{
		"projects.shop.pacing.per_minute=300000:8", "projects.shop.fcm.credentials_file=shop.json:7", "projects.news.fcm.credentials_file=news.json:11",
	}
	if !slices.Equal(listed, want) {
		t.Errorf("listed are\n%q, want\n%q", listed, want)
	}
}

func TestInvalidProjectsAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ yaml, wantKey, wantOrigin, wantText string }{
		"value in place of projects": {"projects: shop", "projects", ":1", "is a section"},
		"value in place of settings": {"projects: {shop: 1}", "projects.shop", ":1", "is a section"},
		"impossible project":         {"projects:\n  my shop: {}", "projects", ":2", "cannot be a Firebase project"},
		"project twice":              {"projects:\n  shop: {}\n  shop: {}", "projects.shop", ":3", "set twice"},
		"unknown section":            {"projects: {shop: {queue: {}}}", "projects.shop.queue", ":1", "unknown key"},
		"unknown key":                {"projects: {shop: {fcm: {credential_file: x}}}", "projects.shop.fcm.credential_file", ":1", "use projects.shop.fcm.credentials_file?"},
		"the id again":               {"projects: {shop: {fcm: {project_id: x}}}", "projects.shop.fcm.project_id", ":1", "unknown key"},
		"wrong value":                {"projects:\n  shop:\n    pacing: {per_minute: many}", "projects.shop.pacing.per_minute", ":3", `"many" is not valid`},
		"both credentials":           {"projects: {shop: {fcm: {credentials: '{}', credentials_file: f}}}", "fcm.credentials", ":1", "together with fcm.credentials_file"},
		"a project beside projects":  {"fcm: {project_id: a}\nprojects: {shop: {}}", "fcm.project_id", ":1", "together with projects"},
		"unknown project served":     {"dispatcher: {projects: [b]}\nprojects: {shop: {}}", "dispatcher.projects", ":1", "some of: shop"},
		"nothing to serve it from":   {"dispatcher: {projects: [b]}", "dispatcher.projects", ":1", "not in the section projects"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := load(t, c.yaml, nil, nil)
			wrong, ok := errors.AsType[*config.Error](err)
			if !ok || wrong.Key != c.wantKey || !strings.HasSuffix(wrong.Origin, c.wantOrigin) || !strings.Contains(wrong.Error(), c.wantText) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}
