package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
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

	for _, id := range []string{"held", "moves"} { // each is served by this very process
		if strings.Contains(d.Log(), "campaign "+id+" belongs to the Firebase project") {
			t.Errorf("the dispatcher takes campaign %s for one of another process", id)
		}
	}
	c := newAPIClient(t, s.Start(nil, "fanfare", "console", "--operate", "--listen", "127.0.0.1:0"), "")
	var listed struct {
		Projects []struct {
			Project string
			Quota   struct {
				PerMinute int
				Halts     []struct{ Reason string }
			}
		}
	}
	c.expect(http.StatusOK, &listed, "GET", "/projects", "")
	if p := listed.Projects; len(p) != 2 || p[0].Project != "first" || len(p[0].Quota.Halts) != 0 || p[1].Quota.PerMinute != 60000 || len(p[1].Quota.Halts) != 1 {
		t.Errorf("the API lists %+v", listed.Projects)
	}
	c.expect(http.StatusNotFound, nil, "POST", "/projects/third/resume", "{}")
	c.expect(http.StatusOK, nil, "POST", "/projects/second/resume", "{}")
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

// Credentials that are refused halt their project, with the reason. The process lives and serves
// the others, until none can send. The project resumes by itself once they are accepted.
func TestRefusedCredentialsOfOneProject(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	account, file, second := filepath.Join(dir, "account.json"), filepath.Join(dir, "fanfare.yaml"), filepath.Join(dir, "second.json")
	settings := fmt.Sprintf("projects:\n  first: {fcm: {credentials_file: %s}}\n  second: {fcm: {credentials_file: %s}}\n", account, second)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Simulator: []string{"--require-auth", "--credentials-file", account},
		Env:       []string{"FCM_PROJECT_ID=", "FANFARE_CONFIG=" + file},
	})
	refused := withAnotherKey(t, s, account)
	for name, credentials := range map[string]string{"unreadable": "/nowhere.json", "refused": refused} {
		_ = os.Remove(second)
		if err := os.Symlink(credentials, second); err != nil {
			t.Fatal(err)
		}
		d := s.Start(nil, "dispatcher")
		d.AwaitLog("credentials refused; the project is halted, the others are served")
		createFor(s, "moves-"+name, "first", "userId,fcmToken\nu1,ok-"+name+"\n")
		createFor(s, "held-"+name, "second", "userId,fcmToken\nu2,ok-held-"+name+"\n")
		checkCampaign(t, s, "moves-"+name, "completed")
		for _, shown := range []string{
			oneLine(s.Fanfare("quota", "show", "--project", "second")), oneLine(s.Fanfare("campaign", "show", "held-"+name)),
		} {
			if !strings.Contains(shown, "credentials refused: ") {
				t.Errorf("%s: the halt of the second project is shown as %s", name, shown)
			}
		}
		d.Signal(syscall.SIGTERM)
		d.ExpectExit(0)
	}
	both := s.Start([]string{"FANFARE_DISPATCHER_PROJECTS=second"}, "dispatcher")
	both.ExpectExit(3)

	if err := errors.Join(os.Remove(second), os.Symlink(account, second)); err != nil {
		t.Fatal(err)
	}
	s.Start(nil, "dispatcher").AwaitLog("project resumed: FCM answered a probe")
	for _, id := range []string{"held-unreadable", "held-refused"} {
		checkCampaign(t, s, id, "completed")
	}
	checkOnce(t, s, 4)
}

// A halted project takes nothing from another, although more of its recipients wait than the
// dispatcher has pushers and slots for. BenchmarkHaltedProject has the rates.
func TestHaltedProjectSlowsNoOther(t *testing.T) {
	t.Parallel()
	s := newProjects(t)
	s.Fanfare("project", "halt", "--project", "second", "--reason", "a test")
	crowd := func(id string, n int) string {
		var list strings.Builder
		list.WriteString("userId,fcmToken\n")
		for i := range n {
			fmt.Fprintf(&list, "%s%d,ok-%s%d\n", id, i, id, i)
		}
		return list.String()
	}
	createFor(s, "waits", "second", crowd("waits", 2000))
	s.Start([]string{"FANFARE_DISPATCHER_CONCURRENCY=8", "FANFARE_DISPATCHER_CLAIM=100"}, "dispatcher")
	s.Eventually("the halted campaign is claimed", func() bool { return s.Show("waits").Books.InFlight > 0 })
	createFor(s, "moves", "first", crowd("moves", 500))
	checkCampaign(t, s, "moves", "completed")
	if shown := s.Show("waits"); shown.Books.Sent != 0 || shown.Books.Loaded != 2000 {
		t.Errorf("the halted project's campaign has the books %+v", shown.Books)
	}
	if shown := oneLine(s.Fanfare("campaign", "show", "waits")); !strings.Contains(shown, "halted") || !strings.Contains(shown, "a test") {
		t.Errorf("the campaign of the halted project is shown as %s", shown)
	}
}
