package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/redisx"
)

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
		"waves":      {&operator.UnfitError{ID: "42", Plan: &operator.WavePlan{Unfit: 1}}, http.StatusConflict, "waves do not fit"},
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
	f.expect(http.StatusMethodNotAllowed, "/campaigns/42 takes DELETE, GET, PATCH", http.MethodPut, "/campaigns/42", "{}")
	f.expect(http.StatusMethodNotAllowed, "/openapi.yaml takes GET", http.MethodPost, "/openapi.yaml", "")
	f.expect(http.StatusNotFound, "No such campaign", http.MethodGet, "/campaigns/41", "")
	if len(f.system.acted) > 0 {
		t.Errorf("bad requests did %q", f.system.acted)
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
	for _, another := range []string{"a\nc\n", "a\nb\nc\n", "a\n", ""} {
		f.expect(http.StatusUnprocessableEntity, "different request", http.MethodPost, "/campaigns/42/audience", another, key, "3", "Content-Type", "text/csv")
	}
	if got := strings.Join(f.system.acted, "; "); got != "start 42 by app, API: a; start 42 by app, API: c; start 42 by app, API: c; load 42 csv false; load 42 csv false" {
		t.Errorf("acted %q", got)
	}
}

// What is wrong with a body is said in the words of JSON.
func TestBodyIsExplained(t *testing.T) {
	t.Parallel()
	f := open(t)
	for body, says := range map[string]string{
		"[]":                 "it is a JSON array, want an object",
		`{"priority":2`:      "the JSON is cut off",
		`{"priority":"2"}`:   "priority is a JSON string, want a number",
		`{"onAmbiguous":2}`:  "onAmbiguous is a JSON number, want a string",
		`{"avoidance":true}`: `unknown field`,
	} {
		f.expect(http.StatusUnprocessableEntity, says, http.MethodPatch, "/campaigns/42", body)
	}
}
