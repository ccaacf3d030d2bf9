package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestHealth asks the running programs how they are.
func TestHealth(t *testing.T) {
	t.Parallel()
	const n = 50
	s, db := newSystem(t, servers.SystemOptions{
		Env: []string{"FANFARE_HTTP_DISPATCHER=127.0.0.1:0", "FANFARE_HTTP_RESPONDER=127.0.0.1:0"},
	})
	dispatcher, responder := s.Start(nil, "dispatcher"), s.Start(nil, "responder")
	s.Campaign("42", audience(n))
	servers.AwaitSummary(t, db, "42", n)
	for name, p := range map[string]*servers.Process{"dispatcher": dispatcher, "responder": responder} {
		for _, path := range []string{"/livez", "/readyz"} {
			if status, said := ask(t, p, path); status != http.StatusOK {
				t.Errorf("%s of the %s: %d %s", path, name, status, said)
			}
		}
		if status, said := ask(t, p, "/metrics"); status != http.StatusOK || !strings.Contains(said, "fanfare_redis_") || !strings.Contains(said, "go_goroutines") {
			t.Errorf("/metrics of the %s: %d %.200s", name, status, said)
		}
	}
	if got := metric(t, dispatcher, `fanfare_dispatcher_outcomes_total{code="",status="sent"}`); got != n {
		t.Errorf("the dispatcher's metrics count %v sent, want %d", got, n)
	}
	for _, p := range []*servers.Process{dispatcher, responder} {
		p.Signal(syscall.SIGTERM)
		p.ExpectExit(0)
	}
}

// TestSecondSignal has every push hang. The first signal lets them finish, the second one does not:
// it ends the program long before any time limit would, and no one is lost.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	const n = 10
	s := servers.NewSystem(t, programs, servers.SystemOptions{Env: []string{
		"FANFARE_FCM_TIMEOUT=1h", "FANFARE_DISPATCHER_DRAIN=1h", "FANFARE_HTTP_DISPATCHER=127.0.0.1:0",
	}})
	s.Campaign("42", strings.ReplaceAll(audience(n), "ok-", "hang-"))
	job := s.Job("42")
	servers.Eventually(t, "all pushes hang", func() bool { return s.Sim.Counts().InFlight == n })

	job.Signal(syscall.SIGTERM)
	job.AwaitLog(`"msg":"stopping"`)
	if status, said := ask(t, job, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(said, "stopping") {
		t.Errorf("/readyz of a stopping dispatcher: %d %s", status, said)
	}
	if books := s.Show("42").Books; books.InFlight != n {
		t.Errorf("books %+v after the first signal, want all %d still in flight", books, n)
	}
	servers.Eventually(t, "a second signal is taken for a second wish", func() bool {
		if strings.Contains(job.Log(), "stopping at once") {
			return true
		}
		job.Signal(syscall.SIGTERM)
		return false
	})
	job.ExpectExit(75)
	if books := s.Show("42").Books; books.Waiting+books.Retrying != n {
		t.Errorf("books %+v after the second signal, want all %d to be served again", books, n)
	}
}

// ask gets a path of where a program serves its health.
func ask(t *testing.T, p *servers.Process, path string) (status int, said string) {
	t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	reply, err := (&http.Client{Transport: transport}).Get("http://" + address(t, p) + path)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

// address reads where a program serves its health out of its log.
func address(t *testing.T, p *servers.Process) (addr string) {
	t.Helper()
	p.AwaitLog("serving health and metrics")
	for line := range strings.Lines(p.Log()) {
		var entry struct{ Msg, Addr string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "serving health and metrics" {
			return entry.Addr
		}
	}
	t.Fatalf("no address in %s", p.Log())
	return ""
}
