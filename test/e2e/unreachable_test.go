package e2e

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestFCMUnreachableAtStart has a dispatcher wait for FCM without taking anyone: it says so, lives,
// and is not ready.
func TestFCMUnreachableAtStart(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	s.Campaign("42", audience(20))
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "https://" + closed.Addr().String() + "/v1"
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	p := s.Start([]string{"FCM_ENDPOINT=" + endpoint, "FANFARE_HTTP_DISPATCHER=127.0.0.1:0"}, "dispatcher")
	p.AwaitLog("FCM is unreachable")
	if status, said := ask(t, p, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(said, `"fcm":"connect to `) {
		t.Errorf("the dispatcher says %d %s, want that FCM cannot be reached", status, said)
	}
	if status, said := ask(t, p, "/livez"); status != http.StatusOK {
		t.Errorf("the dispatcher says %d %s, but restarting it mends no network", status, said)
	}
	p.Signal(syscall.SIGTERM)
	p.ExpectExit(0)
	if books := s.Show("42").Books; books.Waiting != 20 || books.Retrying != 0 {
		t.Errorf("books %+v, want that none was taken", books)
	}
}

// TestFCMUntrusted ends a Job whose settings name the wrong authority before it takes anyone.
func TestFCMUntrusted(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	s.Campaign("42", audience(20))
	job := s.Job("42", "FANFARE_FCM_CA_FILE=")
	if code := job.Wait(); code != 2 || !strings.Contains(job.Log(), "fcm.ca_file") {
		t.Errorf("exited %d saying %q, want 2 and what to set", code, job.Log())
	}
	if books := s.Show("42").Books; books.Waiting != 20 || books.Retrying != 0 {
		t.Errorf("books %+v, want that none was taken", books)
	}
}
