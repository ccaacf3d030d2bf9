package api

import (
	"context"
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
	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/history"
	"fanfare/internal/idempotency"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/schedule"
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
	plan     *operator.WavePlan
	planned  int // how often it was asked for

	spec    campaign.Spec        // the last one that was created
	change  campaign.Change      // the last one
	load    operator.LoadOptions // of the last load
	start   operator.StartOptions
	during  func()    // called once by a start
	until   time.Time // the deadline of the last start or history
	history operator.History
	user    operator.User
}

func (f *fakeSystem) act(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acted = append(f.acted, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fakeSystem) List(context.Context) ([]operator.View, error) {
	spec := campaign.Spec{ID: "42", Name: "News", State: campaign.Paused, Reason: "wrong link"}
	if f.plan != nil {
		spec.Windows, _ = schedule.ParseWindows("09:00-21:00")
	}
	return []operator.View{{Spec: spec}}, f.err
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
func (f *fakeSystem) PlanWaves(context.Context, operator.View, pacing.State) (*operator.WavePlan, error) {
	f.planned++
	return f.plan, f.err
}
func (f *fakeSystem) Processes(context.Context) ([]fleet.Process, error) {
	return []fleet.Process{}, f.err
}
func (f *fakeSystem) Create(_ context.Context, s campaign.Spec) error {
	f.spec = s
	return f.act("create %s %s %d%s", s.ID, s.OnAmbiguous, s.Weight, s.Source)
}

// storedStart is the start of a scheduled campaign, a Wednesday.
var storedStart = time.Date(2031, 1, 1, 10, 0, 0, 0, time.UTC)

func (f *fakeSystem) CheckSchedule(_ context.Context, id string, change campaign.Change, _ operator.FindPace) error {
	if change.StartAt == nil {
		return f.err
	}
	return &operator.UnfitError{ID: id, Plan: &operator.WavePlan{}, Scheduled: true}
}
func (f *fakeSystem) ReadLocalTime(_ context.Context, id, text string, startAt *time.Time) (schedule.LocalTime, error) {
	from := storedStart
	if startAt != nil {
		from = *startAt
	}
	local, err := schedule.ParseLocalFrom(text, time.UnixMilli(0), from)
	if err != nil {
		return local, &campaign.SpecError{ID: id, Field: "local_time", Problem: err.Error()}
	}
	return local, nil
}
func (f *fakeSystem) Start(ctx context.Context, id string, o operator.StartOptions) error {
	f.start = o
	f.until, _ = ctx.Deadline()
	if during := f.during; during != nil {
		f.during = nil
		during()
	}
	return f.act("start %s by %s: %s", id, history.ActorOf(ctx), o.Reason)
}
func (f *fakeSystem) Load(_ context.Context, id string, r io.Reader, o operator.LoadOptions) (operator.LoadSummary, error) {
	f.load = o
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
	made, err := New(Deps{System: f.system, Projects: projects, Paces: operator.Projects(projects).Pace, Requests: idempotency.New(rdb, keys.Default()), Logger: slog.New(slog.DiscardHandler)},
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
