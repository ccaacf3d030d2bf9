package e2e

import (
	"strings"
	"testing"

	"fanfare/test/servers"
)

// Two Firebase projects share a Redis. Each dispatcher sends the campaigns of its own project; one
// that names none waits, and the operator is told what to do.
func TestTwoProjectsOnOneRedis(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	first := s.Start([]string{"FCM_PROJECT_ID=first"}, "dispatcher")
	second := s.Start([]string{"FCM_PROJECT_ID=second"}, "dispatcher")
	s.Eventually("both projects are known", func() bool {
		known := string(s.Fanfare("project", "list"))
		return strings.Contains(known, "first") && strings.Contains(known, "second")
	})

	push(t, s, "42", []element{{raw: `{"userId":"u","fcmToken":"ok-u"}`}})
	write(t, s, "{campaign:42}:spec")
	for _, p := range []*servers.Process{first, second} {
		p.AwaitLog("campaign 42 names no Firebase project, and several send from this Redis: first, second;")
	}
	shown := string(s.Fanfare("campaign", "show", "42"))
	if !strings.Contains(shown, "running, held") || !strings.Contains(shown, "names no Firebase project") {
		t.Errorf("while it waits it is shown as\n%s", shown)
	}
	wrong := s.Start([]string{"FCM_PROJECT_ID=second"}, "dispatcher", "--campaign", "42")
	wrong.ExpectExit(2)
	if !strings.Contains(wrong.Log(), "fanfare campaign set 42 --project") {
		t.Errorf("a Job says %s", wrong.Log())
	}
	checkOnce(t, s, 0)

	s.Fanfare("campaign", "set", "42", "--project", "second")
	checkCampaign(t, s, "42", "completed")
	second.AwaitLog(`"msg":"campaign served"`)
	if strings.Contains(first.Log(), `"msg":"campaign served"`) {
		t.Error("the first project's dispatcher served the second's campaign")
	}
	checkOnce(t, s, 1)
}
