package console

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/responses"
)

// now is the moment of every test.
var now = time.Date(2026, 11, 29, 14, 0, 0, 0, time.UTC)

// view is a campaign with books that balance.
func view(id string, state campaign.State, b campaign.Books) operator.View {
	b.Loaded = b.CountEnded() + b.CountOpen()
	return operator.View{
		Spec:  campaign.Spec{ID: id, State: state, Weight: 1, OnAmbiguous: campaign.Resend, CreatedAt: now.Add(-time.Hour), StartedAt: now.Add(-time.Hour), FinishedAt: now},
		Books: b,
	}
}

// fixture is a console over a system in memory.
type fixture struct {
	t       *testing.T
	system  *fakeSystem
	console *Console
	server  *httptest.Server
	client  *http.Client
}

// example is a system with a campaign in every state.
func example() *fakeSystem {
	running := view("running", campaign.Running, campaign.Books{Sent: 700, Failed: 20, Skipped: 10, Waiting: 200, InFlight: 50, Retrying: 20,
		Codes: map[string]int64{"failed:UNREGISTERED": 20, "skipped:NO_TOKEN": 10, "sent:": 700}})
	running.Breaker = breaker.State{Known: true, Canary: breaker.Canary{Size: 100, Answered: 100, Passed: true},
		Shares: []breaker.Share{{Kind: breaker.Unregistered, Count: 20, Of: 720, Limit: breaker.Threshold{Least: 100, Share: 0.5}}}}
	tripped := view("tripped", campaign.Paused, campaign.Books{Failed: 22, Waiting: 978})
	tripped.Spec.Reason = "22 of 22 answers of the canary are SENDER_ID_MISMATCH"
	tripped.Breaker = breaker.State{Known: true, Last: &breaker.Trip{Reason: tripped.Spec.Reason, At: now.Add(-time.Minute)}}
	paused := view("paused", campaign.Paused, campaign.Books{Sent: 5, Waiting: 5})
	paused.Spec.Reason, paused.Spec.PausedBy, paused.Spec.PausedAt = "wrong link", "ops@host", now.Add(-12*time.Minute)
	low := view("low", campaign.Running, campaign.Books{Waiting: 400})
	high := view("high", campaign.Running, campaign.Books{Sent: 1, Waiting: 100, InFlight: 10})
	high.Spec.Priority = 5
	broken := view("broken", campaign.Running, campaign.Books{Waiting: 10})
	broken.Err = errors.New("message of campaign broken: notification is missing")
	hostile := view("<script>alert(1)</script>", campaign.Draft, campaign.Books{Waiting: 1})
	hostile.Spec.Name = `"><img src=x onerror=alert(1)>`
	return &fakeSystem{
		views: []operator.View{
			running, tripped, paused, low, high, broken, hostile, view("draft", campaign.Draft, campaign.Books{Waiting: 8}),
			view("completed", campaign.Completed, campaign.Books{Sent: 10}), view("expired", campaign.Expired, campaign.Books{Sent: 1, Expired: 9}),
			view("cancelled", campaign.Cancelled, campaign.Books{Sent: 1, Waiting: 9}),
		},
		letters: []responses.DeadLetter{
			responses.FailedLetter(failed("u1", "UNREGISTERED"), now), responses.FailedLetter(failed("u2", "UNREGISTERED"), now), responses.FailedLetter(failed("u3", "RETRIES_EXHAUSTED"), now),
		},
	}
}

// open serves a console over the example.
func open(t *testing.T, opts Options) *fixture {
	t.Helper()
	system := example()
	pace := pacing.State{Now: now, Settings: pacing.DefaultSettings(), Rate: 9900, Warm: 1}
	c, err := New(Deps{System: system, Letters: fakeLetters{system}, Projects: operator.Projects{{ID: "shop", Pace: fakeProject{system, pace}}}, Logger: slog.New(slog.DiscardHandler)}, opts)
	if err != nil {
		t.Fatal(err)
	}
	c.now = func() time.Time { return now }
	c.undoFor = 0
	f := &fixture{t: t, system: system, console: c, server: httptest.NewServer(c)}
	t.Cleanup(f.server.Close)
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	f.client = &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	f.refresh()
	f.run()
	return f
}

// change changes the pace of the project, and takes a snapshot.
func (f *fixture) change(change func(*pacing.State)) {
	project := &f.console.deps.Projects[0]
	faked := project.Pace.(fakeProject)
	change(&faked.state)
	project.Pace = faked
	f.refresh()
}

// run lets the console do long work, as Run does. It takes no snapshots: refresh does.
func (f *fixture) run() {
	f.t.Helper()
	ctx, stop := context.WithCancel(f.t.Context())
	f.console.works.open(ctx)
	f.t.Cleanup(func() {
		stop()
		f.console.works.close()
	})
}

// refresh takes a snapshot, as the console does once a second.
func (f *fixture) refresh() { f.console.sampler.refresh(f.t.Context()) }

// reply is a response with its body.
type reply struct {
	*http.Response

	text string
}

func (f *fixture) send(r *http.Request) reply {
	f.t.Helper()
	response, err := f.client.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return reply{response, string(body)}
}

func (f *fixture) request(method, path string, form url.Values) *http.Request {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		f.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return r
}

func (f *fixture) get(path string) reply {
	f.t.Helper()
	return f.send(f.request(http.MethodGet, path, nil))
}

func (f *fixture) post(path string, form url.Values) reply {
	f.t.Helper()
	return f.send(f.request(http.MethodPost, path, form))
}

func wantStatus(t *testing.T, r reply, want int) {
	t.Helper()
	if r.StatusCode != want {
		t.Errorf("%s %s answers %d, want %d: %.300s", r.Request.Method, r.Request.URL.Path, r.StatusCode, want, r.text)
	}
}
