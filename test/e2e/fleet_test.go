package e2e

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"fanfare/internal/fleet"
	"fanfare/test/servers"
)

// A running process is listed. A graceful stop removes it at once, and a killed one is forgotten
// after three beats.
func TestFleet(t *testing.T) {
	t.Parallel()
	s, _ := newSQLiteSystem(t, servers.SystemOptions{})
	if text := string(s.Fanfare("ps")); !strings.Contains(text, "start them with: dispatcher, responder") {
		t.Errorf("without processes ps says %s", text)
	}
	s.Campaign("42", audience(3))
	if text := string(s.Fanfare("campaign", "show", "42", "--json")); !strings.Contains(text, `"state":"running"`) {
		t.Fatalf("campaign %s", text)
	}
	dispatcher, responder := s.Start(nil, "dispatcher"), s.Start(nil, "responder")
	s.Eventually("both serve", func() bool {
		all := processes(t, s)
		return len(all) == 2 && all[0].Phase == fleet.Serving && all[1].Phase == fleet.Serving
	})
	all := processes(t, s)
	if p := all[0]; p.Role != fleet.Dispatcher || p.Project != "e2e" || p.PID != dispatcher.PID() || p.Host == "" || p.Version == "" || p.Memory == 0 {
		t.Errorf("the dispatcher is listed as %+v", p)
	}
	if p := all[1]; p.Role != fleet.Responder || p.PID != responder.PID() {
		t.Errorf("the responder is listed as %+v", p)
	}
	for line := range strings.Lines(string(s.Fanfare("ps"))) {
		if len([]rune(line)) > 81 {
			t.Errorf("a line of ps is wider than 80 columns: %s", line)
		}
	}
	dispatcher.Signal(syscall.SIGTERM)
	dispatcher.ExpectExit(0)
	if all := processes(t, s); len(all) != 1 || all[0].Role != fleet.Responder {
		t.Errorf("after a graceful stop %+v are listed, want the responder alone", all)
	}
	responder.Signal(syscall.SIGKILL)
	s.Eventually("the killed one is forgotten", func() bool { return len(processes(t, s)) == 0 })
}

func processes(t *testing.T, s *servers.System) (all []fleet.Process) {
	t.Helper()
	text := s.Fanfare("ps", "--json")
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatalf("read ps: %v in %s", err, text)
	}
	return all
}
