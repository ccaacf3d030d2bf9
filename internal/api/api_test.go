package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/getkin/kin-openapi/openapi3"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/idempotency"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redisx"
	"fanfare/internal/store"
)

// fakeSystem has one campaign, and records what was asked of it.
type fakeSystem struct {
	System
	mu       sync.Mutex
	acted    []string
	err      error // of everything
	outcomes []notification.Result
	broken   error // ends the outcomes
}

func (f *fakeSystem) act(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acted = append(f.acted, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeSystem) List(context.Context) ([]operator.View, error) {
	return []operator.View{{Spec: campaign.Spec{ID: "42", Name: "News", State: campaign.Paused, Reason: "wrong link"}}}, f.err
}

func (f *fakeSystem) Show(ctx context.Context, id string) (operator.View, error) {
	all, err := f.List(ctx)
	if id != "42" && err == nil {
		err = fmt.Errorf("%w: %s", campaign.ErrNotFound, id)
	}
	return all[0], err
}
func (f *fakeSystem) Explain(_ context.Context, v *operator.View, _ operator.FindPace) {
	v.Reasons = []operator.Reason{{Kind: operator.ReasonPaused, Headline: "Paused", Stops: true}}
}
func (f *fakeSystem) ExplainAll(ctx context.Context, views []operator.View, paces operator.FindPace) {
	for i := range views {
		f.Explain(ctx, &views[i], paces)
	}
}
func (f *fakeSystem) ForecastAll(context.Context, []operator.View) {}
func (f *fakeSystem) Processes(context.Context) ([]fleet.Process, error) {
	return []fleet.Process{}, f.err
}
func (f *fakeSystem) Create(_ context.Context, s campaign.Spec) error {
	return f.act("create %s %s %d%s", s.ID, s.OnAmbiguous, s.Weight, s.Source)
}
func (f *fakeSystem) CheckSchedule(_ context.Context, id string, change campaign.Change, _ operator.FindPace) error {
	if change.StartAt == nil {
		return f.err
	}
	return &operator.UnfitError{ID: id, Plan: &operator.WavePlan{}, Scheduled: true}
}
func (f *fakeSystem) Start(_ context.Context, id string, o operator.StartOptions) error {
	return f.act("start %s: %s", id, o.Reason)
}
func (f *fakeSystem) Load(_ context.Context, id string, r io.Reader, o operator.LoadOptions) (operator.LoadSummary, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return operator.LoadSummary{}, &operator.InterruptedError{Err: err, Done: 3}
	}
	return operator.LoadSummary{Loaded: int64(len(text))}, f.act("load %s %s %v", id, o.Format, o.Append)
}
func (f *fakeSystem) Outcomes(context.Context, string, store.Filter) (iter.Seq2[notification.Result, error], error) {
	return func(yield func(notification.Result, error) bool) {
		for _, r := range f.outcomes {
			if !yield(r, nil) {
				return
			}
		}
		if f.broken != nil {
			yield(notification.Result{}, f.broken)
		}
	}, f.err
}

// fixture is an API over a fake system, behind a server.
type fixture struct {
	t      *testing.T
	system *fakeSystem
	caller Caller
	url    string
}

func open(t *testing.T, projects ...operator.Project) *fixture {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	f := &fixture{t: t, system: &fakeSystem{}, caller: Caller{Name: "app", Operate: true}}
	made, err := New(Deps{System: f.system, Projects: projects, Requests: idempotency.New(rdb, keys.Default()), Logger: slog.New(slog.DiscardHandler)},
		Options{Identify: func(*http.Request) Caller { return f.caller }})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(made)
	t.Cleanup(server.Close)
	f.url = server.URL + Prefix
	return f
}

// send returns the status and the body of a response. headers are pairs.
func (f *fixture) send(method, path, body string, headers ...string) (int, string) {
	f.t.Helper()
	r, err := http.NewRequestWithContext(f.t.Context(), method, f.url+path, strings.NewReader(body))
	if err != nil {
		f.t.Fatal(err)
	}
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		f.t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

// expect sends a request, and checks its status and a part of its body.
func (f *fixture) expect(status int, part, method, path, body string, headers ...string) {
	f.t.Helper()
	if got, text := f.send(method, path, body, headers...); got != status || !strings.Contains(text, part) {
		f.t.Errorf("%s %s: %d %s, want %d and %q", method, path, got, text, status, part)
	}
}

// The description names each endpoint, and no other.
func TestDescriptionMatchesTheEndpoints(t *testing.T) {
	t.Parallel()
	described, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal(err)
	}
	if err := described.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var want, got []string
	for path, item := range described.Paths.Map() {
		for method, operation := range item.Operations() {
			want = append(want, method+" "+path)
			keyed := slices.ContainsFunc(operation.Parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == idempotencyHeader })
			if keyed != (method == http.MethodPost) {
				t.Errorf("%s %s: Idempotency-Key is described: %v", method, path, keyed)
			}
		}
	}
	for _, e := range (&API{}).endpoints() {
		got = append(got, e.method+" "+e.path)
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("endpoints\n%q, described\n%q", got, want)
	}
}

// A caller who may only read changes nothing, by any endpoint.
func TestReadersChangeNothing(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.caller = Caller{Name: "reader"}
	for _, e := range (&API{}).endpoints() {
		if e.method == http.MethodGet {
			continue
		}
		f.expect(http.StatusForbidden, "Read only", e.method, strings.ReplaceAll(e.path, "{id}", "42"), "{}")
	}
	if len(f.system.acted) > 0 {
		t.Errorf("a reader did %q", f.system.acted)
	}
	f.expect(http.StatusOK, `"why":[{"kind":"paused"`, http.MethodGet, "/campaigns?search=NEWS&state=paused", "")
	f.expect(http.StatusOK, `"why":[{"kind":"paused"`, http.MethodGet, "/campaigns/42", "")
	f.expect(http.StatusOK, `"campaigns":[]`, http.MethodGet, "/campaigns?state=running", "")
}

func TestErrorsAreProblems(t *testing.T) {
	t.Parallel()
	faults := notification.Faults{{Field: "data.n", Problem: "is a number"}}
	for name, c := range map[string]struct {
		err    error
		status int
		part   string
	}{
		"not found":  {campaign.ErrNotFound, http.StatusNotFound, "no such campaign"},
		"transition": {&campaign.TransitionError{ID: "42", From: campaign.Completed, To: campaign.Running}, http.StatusConflict, "completed"},
		"exists":     {campaign.ErrExists, http.StatusConflict, "exists"},
		"spec":       {&campaign.SpecError{ID: "42", Field: "rate", Problem: "is negative"}, http.StatusUnprocessableEntity, "rate"},
		"faults":     {faults, http.StatusUnprocessableEntity, `"faults":["`},
		"type":       {&redisx.TypeError{Key: "k", Holds: "string", Want: "hash"}, http.StatusInternalServerError, "rename or delete it"},
		"waves":      {&operator.UnfitError{ID: "42", Plan: &operator.WavePlan{}}, http.StatusConflict, "waves do not fit"},
		"Redis":      {errors.New("dial redis://u:hunter22@r:6379: refused"), http.StatusServiceUnavailable, "repeat the request"},
	} {
		f := open(t)
		f.system.err = c.err
		status, text := f.send(http.MethodPost, "/campaigns/42/start", "{}")
		if status != c.status || !strings.Contains(text, c.part) || strings.Contains(text, "hunter22") {
			t.Errorf("%s: %d %s", name, status, text)
		}
	}
}

func TestBadRequestsAreExplained(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusUnprocessableEntity, "unknown field", http.MethodPost, "/campaigns", `{"id":"1","titel":"x"}`)
	f.expect(http.StatusUnprocessableEntity, "more than one", http.MethodPost, "/campaigns", `{"id":"1"}{}`)
	f.expect(http.StatusUnprocessableEntity, "more than one", http.MethodPost, "/campaigns", `{"id":"1"} ]`)
	f.expect(http.StatusUnprocessableEntity, "body", http.MethodPost, "/campaigns", `[object Object]`)
	f.expect(http.StatusRequestEntityTooLarge, "too large", http.MethodPost, "/campaigns", `{"id":"`+strings.Repeat("x", maxBody)+`"}`)
	f.expect(http.StatusUnprocessableEntity, "500 bytes", http.MethodPost, "/campaigns/42/start", `{"reason":"`+strings.Repeat("x", 501)+`"}`)
	f.expect(http.StatusUnsupportedMediaType, "text/csv", http.MethodPost, "/campaigns/42/audience", "x", "Content-Type", "image/png")
	f.expect(http.StatusUnprocessableEntity, "append", http.MethodPost, "/campaigns/42/audience?append=perhaps", "x")
	f.expect(http.StatusUnprocessableEntity, "no status", http.MethodGet, "/campaigns/42/outcomes?status=lost", "")
	f.expect(http.StatusUnprocessableEntity, "format", http.MethodGet, "/campaigns/42/outcomes?format=xml", "")
	f.expect(http.StatusUnprocessableEntity, "limit", http.MethodGet, "/users/u1?limit=0", "")
	f.expect(http.StatusNotImplemented, "No project", http.MethodPost, "/project/halt", "")
	f.expect(http.StatusNotImplemented, "No project", http.MethodGet, "/project/history", "")
	f.expect(http.StatusNotFound, "openapi.yaml", http.MethodGet, "/nowhere", "")
	f.expect(http.StatusNotFound, "No such campaign", http.MethodGet, "/campaigns/41", "")
	if len(f.system.acted) > 0 {
		t.Errorf("bad requests did %q", f.system.acted)
	}
}

func TestActorIsRecorded(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", "")
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", `{"reason":"fixed"}`)
	if got := strings.Join(f.system.acted, "; "); got != "start 42: by app, API; start 42: fixed" {
		t.Errorf("recorded %q", got)
	}
}

// A source is an object with the members of the spec's.
func TestSourceOfANewCampaign(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusCreated, `"id":"42"`, http.MethodPost, "/campaigns", `{"id":"42","message":{},"source":{"files":["/data/users.csv"],"where":"age < 30"}}`)
	f.expect(http.StatusUnprocessableEntity, "file", http.MethodPost, "/campaigns", `{"id":"43","message":{},"source":{"file":"/data/users.csv"}}`)
	if got := strings.Join(f.system.acted, "; "); got != `create 42 resend 1{"files":["/data/users.csv"],"where":"age < 30"}` {
		t.Errorf("created %q", got)
	}
}

// A schedule whose waves do not fit is refused, and nothing is changed.
func TestUnfitScheduleIsRefused(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.expect(http.StatusConflict, "campaign 42 is not scheduled", http.MethodPatch, "/campaigns/42", `{"startAt":"2031-01-02T10:00:00Z"}`)
}

// A repeated request acts once and gets the first answer.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	f := open(t)
	const key = "Idempotency-Key"
	for range 2 {
		f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", `{"reason":"a"}`, key, "1")
	}
	f.expect(http.StatusUnprocessableEntity, "different request", http.MethodPost, "/campaigns/42/start", `{"reason":"b"}`, key, "1")
	f.expect(http.StatusUnprocessableEntity, "255", http.MethodPost, "/campaigns/42/start", "", key, strings.Repeat("k", 256))
	f.system.err = errors.New("Redis is away")
	f.expect(http.StatusServiceUnavailable, "repeat", http.MethodPost, "/campaigns/42/start", `{"reason":"c"}`, key, "2")
	f.system.err = nil
	f.expect(http.StatusOK, `"id":"42"`, http.MethodPost, "/campaigns/42/start", `{"reason":"c"}`, key, "2")
	f.system.err = &audience.FileError{Problem: "it is cut off"}
	f.expect(http.StatusUnprocessableEntity, "cut off", http.MethodPost, "/campaigns/42/audience", "a\n", key, "3", "Content-Type", "text/csv")
	f.system.err = nil
	for range 2 {
		f.expect(http.StatusOK, `"loaded":4`, http.MethodPost, "/campaigns/42/audience", "a\nb\n", key, "3", "Content-Type", "text/csv")
	}
	if got := strings.Join(f.system.acted, "; "); got != "start 42: a; start 42: c; start 42: c; load 42 csv false; load 42 csv false" {
		t.Errorf("acted %q", got)
	}
}

// An upload that breaks off says what is loaded, and that it can be repeated.
func TestUploadBreaksOff(t *testing.T) {
	t.Parallel()
	f := open(t)
	made := &API{deps: Deps{System: f.system}, opts: Options{Identify: func(*http.Request) Caller { return f.caller }}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, Prefix+"/campaigns/42/audience", io.MultiReader(strings.NewReader("userId\n"), errorReader{}))
	w := httptest.NewRecorder()
	made.serve(endpoint{path: audiencePath, handle: made.loadAudience}).ServeHTTP(w, r)
	if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "first 3 recipients are loaded") || !strings.Contains(w.Body.String(), "Repeat it") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// An export that breaks off is not taken for the whole.
func TestExport(t *testing.T) {
	t.Parallel()
	f := open(t)
	f.system.outcomes = []notification.Result{{CampaignID: "42", UserID: "u1", Status: notification.StatusSent}}
	f.expect(http.StatusOK, `"userId":"u1"`, http.MethodGet, "/campaigns/42/outcomes", "")
	f.expect(http.StatusOK, "userId,status,", http.MethodGet, "/campaigns/42/outcomes?format=csv", "")
	f.system.broken = errors.New("SQL is away")
	for range 13 {
		f.system.outcomes = append(f.system.outcomes, f.system.outcomes...) // more than is buffered
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.url+"/campaigns/42/outcomes", nil)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	if _, err := io.ReadAll(reply.Body); err == nil {
		t.Error("a response that broke off looks whole")
	}
}

// A Redis that accepts connections and answers nothing does not keep a caller waiting.
func TestReadsEnd(t *testing.T) {
	t.Parallel()
	f := open(t)
	made := &API{deps: Deps{System: stuck{f.system}, Logger: slog.New(slog.DiscardHandler)}, opts: Options{Identify: func(*http.Request) Caller { return f.caller }}, readTimeout: time.Millisecond}
	w := httptest.NewRecorder()
	made.serve(endpoint{method: http.MethodGet, handle: made.listProcesses}).ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, Prefix+"/processes", http.NoBody))
	if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "repeat the request") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type stuck struct{ System }

func (stuck) Processes(ctx context.Context) ([]fleet.Process, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
