package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"fanfare/test/servers"
)

// The tests' dispatchers probe often.
var probing = []string{"FANFARE_RETRY_OUTAGE=200ms", "FANFARE_RETRY_MIN_BACKOFF=300ms", "FANFARE_RETRY_MAX_BACKOFF=600ms"}

// create makes a campaign of n that runs and wants ambiguous outcomes to end so.
func create(s *servers.System, n int, onAmbiguous string) {
	s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--on-ambiguous", onAmbiguous)
	s.Fanfare("load", "42", s.File("audience.csv", audience(n)))
	s.Fanfare("campaign", "start", "42")
}

// awaitHold waits until the campaign is on hold, and reads how it stands then.
func awaitHold(t *testing.T, s *servers.System) servers.View {
	t.Helper()
	s.Eventually("the campaign is on hold", func() bool {
		return strings.Contains(string(s.Fanfare("campaign", "show", "42", "--json")), `"hold":{"kind":`)
	})
	return s.Show("42")
}

// TestOutageOfFCM stops FCM's answers in several ways, from the start and during a campaign. A Job
// waits, and at most the canary and the pushes on the wire end as unknown. All others are sent to
// once FCM answers again.
func TestOutageOfFCM(t *testing.T) {
	const n = 3000
	for name, down := range map[string]string{
		"503":   `{"outcomes":[{"code":"UNAVAILABLE","share":1}]}`,
		"502":   `{"outcomes":[{"code":"BAD_GATEWAY","share":1}]}`,
		"reset": `{"outcomes":[{"code":"RESET_AFTER_READ","share":1}]}`,
	} {
		for _, mode := range []string{"report", "resend"} {
			t.Run(name+", "+mode+", from the start", func(t *testing.T) {
				t.Parallel()
				s := servers.NewSystem(t, programs, servers.SystemOptions{Env: probing})
				s.Sim.Rules(down)
				create(s, n, mode)
				job := s.Job("42")
				books := awaitHold(t, s).Books
				if sent := s.Sim.Counts().Requests; sent > 2*canary || books.Unknown > canary || mode == "resend" && books.Unknown > 0 {
					t.Errorf("%d requests and books %+v, want no more than the canary", sent, books)
				}
				checkOutageEnds(t, s, job, n, books.Unknown)
			})
		}
		t.Run(name+", in the midst", func(t *testing.T) {
			t.Parallel()
			const concurrency = 50
			s := servers.NewSystem(t, programs, servers.SystemOptions{
				Simulator: []string{"--latency", "20ms"},
				Env:       append([]string{"FANFARE_DISPATCHER_CONCURRENCY=50", "FANFARE_PACING_PER_MINUTE=60000", "FANFARE_PACING_RAMP=0s"}, probing...),
			})
			create(s, n, "report")
			job := s.Job("42")
			s.Sim.AwaitAccepted(500)
			s.Sim.Rules(down)
			books := awaitHold(t, s).Books
			if books.Unknown > concurrency+canary || books.Sent+books.Unknown == n {
				t.Errorf("books %+v, want at most a canary and what was on the wire to be unknown", books)
			}
			checkOutageEnds(t, s, job, n, books.Unknown)
		})
	}
}

// checkOutageEnds ends an outage and wants the Job to send to everyone except recipients that ended
// as unknown.
func checkOutageEnds(t *testing.T, s *servers.System, job *servers.Process, n int, unknown int64) {
	t.Helper()
	for _, command := range [][]string{{"campaign", "show", "42"}, {"campaign", "list"}} {
		if text := string(s.Fanfare(command...)); !strings.Contains(text, "held") || !strings.Contains(strings.Join(strings.Fields(text), " "), "got no answer from FCM") {
			t.Errorf("%v says nothing of the outage:\n%s", command, text)
		}
	}
	s.Sim.Rules(`{}`)
	job.ExpectExit(0)
	if books := s.Show("42").Books; books.Unknown != unknown || books.Sent != int64(n)-unknown {
		t.Errorf("books %+v, want all but %d sent to", books, unknown)
	}
	if !strings.Contains(job.Log(), `"kind":"unanswered"`) {
		t.Error("the log does not say that a breaker tripped")
	}
}

// endpoint is an FCM of the test's own, and before it something that may answer in its place.
type endpoint struct {
	url string
	in  atomic.Pointer[func(w http.ResponseWriter, nth int64) (answered bool)] // nil: FCM answers

	mu       sync.Mutex
	requests int64
	sent     map[string]int // by token; what is validated is not sent
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{sent: make(map[string]int)}
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	e.url = server.URL + "/v1"
	return e
}

func (e *endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var request struct {
		ValidateOnly bool `json:"validate_only"`
		Message      struct{ Token string }
	}
	if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	e.mu.Lock()
	e.requests++
	nth := e.requests
	e.mu.Unlock()
	if in := e.in.Load(); in != nil && (*in)(w, nth) {
		return
	}
	if !request.ValidateOnly {
		e.mu.Lock()
		e.sent[request.Message.Token]++
		e.mu.Unlock()
	}
	_, _ = io.WriteString(w, `{"name":"projects/e2e/messages/1"}`)
}

// answers has something else answer each request, or only each so many-th.
func (e *endpoint) answers(status int, body string, each int64) {
	answer := func(w http.ResponseWriter, nth int64) bool {
		if nth%each != 0 {
			return false
		}
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		return true
	}
	e.in.Store(&answer)
}

const page = "<!DOCTYPE html><html><title>Welcome</title></html>"

// TestWrongEndpoint has something that is not FCM answer with success. The project is halted with
// advice, no one is used up, and all are sent to once FCM stands there.
func TestWrongEndpoint(t *testing.T) {
	const n = 1000
	for name, body := range map[string]string{"page": page, "nothing": "", "cut JSON": `{"name": "projects/e2e/mess`, "no name": `{"ok":true}`} {
		for _, mode := range []string{"resend", "report"} {
			t.Run(name+", "+mode, func(t *testing.T) {
				t.Parallel()
				e := newEndpoint(t)
				e.answers(http.StatusOK, body, 1)
				s := servers.NewSystem(t, programs, servers.SystemOptions{Env: append([]string{"FCM_ENDPOINT=" + e.url}, probing...)})
				create(s, n, mode)
				job := s.Job("42")
				books := awaitHold(t, s).Books
				s.Eventually("the project is halted", func() bool { return len(halts(s)) > 0 })
				if reasons := halts(s); !strings.HasPrefix(reasons[0], "wrong endpoint: ") || !strings.Contains(reasons[0], "check fcm.endpoint") {
					t.Errorf("the project is halted for %q", reasons)
				}
				if most := map[string]int64{"report": canary}[mode]; books.Unknown > most || books.Ended() > books.Unknown {
					t.Errorf("books %+v, want at most %d unknown", books, most)
				}
				e.in.Store(nil)
				job.ExpectExit(0)
				if after := s.Show("42").Books; after.Unknown != books.Unknown || after.Sent != n-books.Unknown {
					t.Errorf("books %+v, want all but %d sent to", after, books.Unknown)
				}
				if reasons := halts(s); len(reasons) > 0 {
					t.Errorf("the project is still halted for %q", reasons)
				}
				e.mu.Lock()
				defer e.mu.Unlock()
				for token, times := range e.sent {
					if times != 1 {
						t.Errorf("%s was sent to %d times", token, times)
					}
				}
			})
		}
	}
}

// TestProxyRefusesSome has a proxy refuse a fiftieth of all requests with a page of its own. That
// says nothing of the credentials: nothing stops, and all are sent to.
func TestProxyRefusesSome(t *testing.T) {
	const n = 1500
	for _, status := range []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusProxyAuthRequired} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			t.Parallel()
			e := newEndpoint(t)
			e.answers(status, page, 50)
			s := servers.NewSystem(t, programs, servers.SystemOptions{Env: append([]string{"FCM_ENDPOINT=" + e.url}, probing...)})
			create(s, n, "report")
			job := s.Job("42")
			job.ExpectExit(0)
			if view := s.Show("42"); view.Books.Sent != n {
				t.Errorf("the campaign is %+v, want everybody sent to", view)
			}
			if strings.Contains(job.Log(), "breaker tripped") {
				t.Error("a breaker tripped")
			}
		})
	}
}
