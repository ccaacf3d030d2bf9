package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"fanfare/test/servers"
)

// newProjects starts a system whose settings have the Firebase projects first and second.
func newProjects(t *testing.T) *servers.System {
	t.Helper()
	file := filepath.Join(t.TempDir(), "fanfare.yaml")
	if err := os.WriteFile(file, []byte("projects:\n  first: {}\n  second: {pacing: {per_minute: 60000}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return servers.NewSystem(t, programs, servers.SystemOptions{Env: []string{"FCM_PROJECT_ID=", "FANFARE_CONFIG=" + file}})
}

func createFor(s *servers.System, id, project, audience string) {
	args := []string{"campaign", "create", id, "--message", s.File("message.json", servers.PlainMessage)}
	if project != "" {
		args = append(args, "--project", project)
	}
	s.Fanfare(args...)
	s.Fanfare("load", id, s.File("audience.csv", audience))
	s.Fanfare("campaign", "start", id)
}

// One dispatcher serves two Firebase projects. A halt of one does not hold the other, each has its
// own quota, and a campaign that names no project waits for an operator.
func TestProjectsOfOneDispatcher(t *testing.T) {
	t.Parallel()
	s := newProjects(t)
	s.Fanfare("project", "halt", "--project", "second", "--reason", "credentials are being rotated")
	d := s.Start(nil, "dispatcher")

	createFor(s, "held", "second", "userId,fcmToken\nu1,ok-u1\n")
	createFor(s, "moves", "first", "userId,fcmToken\nu2,ok-u2\nu3,ok-u3\n")
	createFor(s, "whose", "", "userId,fcmToken\nu4,ok-u4\n")
	checkCampaign(t, s, "moves", "completed")
	d.AwaitLog("campaign whose names no Firebase project, and several send from this Redis: first, second;")
	if shown := s.Show("held"); shown.Books.Sent != 0 || shown.State != "running" {
		t.Errorf("while its project is halted, the campaign is %s with %d sent", shown.State, shown.Books.Sent)
	}
	if shown := oneLine(s.Fanfare("quota", "show", "--project", "second")); !strings.Contains(shown, "60,000") || !strings.Contains(shown, "credentials are being rotated") {
		t.Errorf("the quota of the second project is shown as %s", shown)
	}

	s.Fanfare("project", "resume", "--project", "second")
	checkCampaign(t, s, "held", "completed")
	s.Fanfare("campaign", "set", "whose", "--project", "second")
	checkCampaign(t, s, "whose", "completed")
	checkOnce(t, s, 4)
}

// A dispatcher serves a part of the projects, and a Job its campaign's project. Commands on a
// project ask which.
func TestChoosingAmongProjects(t *testing.T) {
	t.Parallel()
	s := newProjects(t)
	createFor(s, "one", "first", "userId,fcmToken\nu1,ok-u1\n")
	createFor(s, "two", "second", "userId,fcmToken\nu2,ok-u2\n")
	createFor(s, "none", "", "userId,fcmToken\nu3,ok-u3\n")

	part := s.Start([]string{"FANFARE_DISPATCHER_PROJECTS=second"}, "dispatcher")
	checkCampaign(t, s, "two", "completed")
	part.AwaitLog("campaign one belongs to the Firebase project first, and this dispatcher sends for second")
	s.Job("one").ExpectExit(0)

	for _, wrong := range []struct {
		args []string
		says string
	}{
		{[]string{"fanfare", "quota", "show"}, "choose one with --project: first, second"},
		{[]string{"fanfare", "quota", "show", "--project", "third"}, `no Firebase project "third"; they have: first, second`},
		{[]string{"dispatcher", "--campaign", "none"}, "several Firebase projects"},
		{[]string{"fanfare", "campaign", "check", "none"}, "find the project of campaign none"},
	} {
		p := s.Start(nil, wrong.args[0], wrong.args[1:]...)
		p.ExpectExit(2)
		if !strings.Contains(p.Log(), wrong.says) {
			t.Errorf("%q says %s, want %s", wrong.args, p.Log(), wrong.says)
		}
	}
}
