package console

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"maps"
	"strings"
	"sync"
	"time"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/fleet"
	"fanfare/internal/history"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/profiles"
	"fanfare/internal/responses"
	"fanfare/internal/store"
	"fanfare/internal/traffic"
)

// fakeSystem is a system in memory. It records what was asked of it.
type fakeSystem struct {
	created campaign.Spec // by the last Create
	mu      sync.Mutex
	views   []operator.View
	err     error
	shown   map[string]int // how often a campaign was read
	acted   []string
	letters []responses.DeadLetter
	dropped int64 // letters, by the bounds
	// lettersErr is why letters cannot be listed.
	lettersErr error
	users      map[string]operator.User
	replay     chan struct{} // if set, a replay waits for it after its first batch
	// recordsErr is why SQL has no answer.
	recordsErr error
	plan       *operator.WavePlan // of each campaign with time rules
	planned    int                // how often it was asked for
	fleet      []fleet.Process    // nil: a dispatcher and a responder
}

func (f *fakeSystem) record(what string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.acted = append(f.acted, what)
	return nil
}

func (f *fakeSystem) done() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.Join(f.acted, "\n")
}

func (f *fakeSystem) ListAgain(context.Context, *operator.ListMemory) ([]operator.View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]operator.View(nil), f.views...), f.err
}

func (f *fakeSystem) Show(_ context.Context, id string) (operator.View, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown = maps.Clone(f.shown) // what a test has read stays
	if f.shown == nil {
		f.shown = make(map[string]int)
	}
	f.shown[id]++
	if _, err := keys.Default().Campaign(id); err != nil {
		return operator.View{}, err
	}
	for _, v := range f.views {
		if v.Spec.ID == id {
			return v, nil
		}
	}
	return operator.View{}, campaign.ErrNotFound
}

// aToken is the token of a user of the example.
const aToken = "fGx1abcdefghijklmnop:APA91bHun4MxP5egoKMwt2"

func (f *fakeSystem) User(_ context.Context, id string, limit int) (operator.User, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	u, ok := f.users[id]
	if !ok {
		u = operator.User{ID: id, Recorded: true}
	}
	u.More, u.Outcomes = len(u.Outcomes) > limit, u.Outcomes[:min(limit, len(u.Outcomes))]
	return u, f.recordsErr
}

func (f *fakeSystem) FillForNewest(_ context.Context, spec campaign.Spec, user string) (operator.FilledMessage, error) {
	out := operator.FilledMessage{User: user, Template: spec.Message}
	switch user {
	case "":
	case "lacks":
		out.Err = &content.UnfilledError{Name: "name"}
	default:
		out.Profile = profiles.Profile{"locale": json.RawMessage(`"fr"`)}
		out.Message = notification.Message(strings.ReplaceAll(string(spec.Message), "{{name|you}}", user))
	}
	return out, nil
}

func (f *fakeSystem) Create(_ context.Context, spec campaign.Spec) error {
	if spec.ID == "running" {
		return campaign.ErrExists
	}
	f.created = spec
	return f.record("create " + spec.ID + " " + spec.Deadline.Format(time.RFC3339) + " " + string(spec.Devices) + "/" + string(spec.Dedupe))
}

func (f *fakeSystem) Load(ctx context.Context, id string, r io.Reader, opts operator.LoadOptions) (operator.LoadSummary, error) {
	text, err := io.ReadAll(r)
	if err != nil || ctx.Err() != nil {
		return operator.LoadSummary{Loaded: 2}, &operator.InterruptedError{Err: errors.Join(err, ctx.Err()), Done: 2}
	}
	if id == "running" && !opts.Append {
		return operator.LoadSummary{}, campaign.ErrAudienceExists
	}
	opts.Progress(int64(strings.Count(string(text), "\n")))
	return operator.LoadSummary{Loaded: 3, Rejected: 1, Errors: []audience.RowError{{Line: 4, Problem: "has no user"}}}, f.record("load " + id + " " + string(opts.Format))
}

// Traffic is three slots, of which the last has no accepted push.
func (f *fakeSystem) Traffic(context.Context, string, int) (traffic.Series, error) {
	series := traffic.Series{Step: 10 * time.Second}
	for i := range 3 {
		slot := traffic.Slot{At: now.Add(time.Duration(i-4) * 10 * time.Second), Took: 10 * time.Second}
		slot.Answers, slot.Limited = 1200, int64(i)
		if i < 2 {
			slot.Latency.Observe(90 * time.Millisecond)
		}
		series.Slots = append(series.Slots, slot)
	}
	return series, nil
}

// RecentTraffic is one slot more than Traffic, which is of other pushes.
func (f *fakeSystem) RecentTraffic(context.Context, string) (traffic.Series, error) {
	series := traffic.Series{Step: 10 * time.Second}
	for i := range 4 {
		slot := traffic.Slot{At: now.Add(time.Duration(i-5) * 10 * time.Second), Took: 10 * time.Second}
		slot.Answers = 70
		series.Slots = append(series.Slots, slot)
	}
	return series, nil
}

func (f *fakeSystem) PlanWaves(context.Context, operator.View, pacing.State) (*operator.WavePlan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.planned++
	return f.plan, nil
}

func (f *fakeSystem) Start(ctx context.Context, id string, o operator.StartOptions) error {
	late := ""
	if o.Late {
		late = ", late"
	}
	return f.record("start " + id + " by " + history.ActorOf(ctx) + ": " + o.Reason + late)
}

func (f *fakeSystem) Pause(ctx context.Context, id, reason string) error {
	return f.record("pause " + id + " by " + history.ActorOf(ctx) + ": " + reason)
}

func (f *fakeSystem) Cancel(ctx context.Context, id, reason string) error {
	return f.record("cancel " + id + " by " + history.ActorOf(ctx) + ": " + reason)
}

func (f *fakeSystem) Change(_ context.Context, id string, c campaign.Change) error {
	if c.Source != nil {
		if f.err != nil {
			return f.err
		}
		rest := ""
		if c.Partial {
			rest = ", the rest given up"
		}
		return f.record("change " + id + " source" + c.Source.String() + rest)
	}
	return f.record("change " + id + ": " + operator.Decimal(*c.Rate) + " " + operator.Thousands(*c.Priority) + " " + operator.Thousands(*c.Weight))
}

func (f *fakeSystem) Delete(_ context.Context, id string, _ operator.DeleteOptions) (operator.Deletion, error) {
	return operator.Deletion{Unsent: 3}, f.record("delete " + id)
}

func (f *fakeSystem) RecentHistory(_ context.Context, id string) ([]notification.HistoryEntry, error) {
	at := func(back time.Duration, seq string) notification.HistoryEntry {
		return notification.HistoryEntry{ID: seq, At: now.Add(-back)}
	}
	created, loaded, started, paused := at(30*time.Hour, "1-0"), at(2*time.Minute, "2-0"), at(time.Minute, "3-0"), at(time.Second, "4-0")
	created.What, created.Who = "created", "<script>alert(2)</script>"
	loaded.What, loaded.N = "loaded", 20_000_000
	started.What, started.Who = "started", "ops, console"
	paused.What, paused.Who, paused.Detail = "paused", "dispatcher ops-2, breaker bad_message", "5 of 5 answers are 400"
	return []notification.HistoryEntry{created, loaded, started, paused}, f.recordsErr
}

func (f *fakeSystem) Report(ctx context.Context, id string) (*operator.Report, error) {
	v, err := f.Show(ctx, id)
	if err != nil {
		return nil, err
	}
	history, _ := f.RecentHistory(ctx, id)
	r := &operator.Report{ID: id, At: now, View: &v, History: history, Written: &store.Summary{Counts: map[notification.Status]int64{"sent": v.Books.Sent}}, Removed: 12}
	for i := range int64(200) {
		r.Minutes = append(r.Minutes, store.Minute{Start: now.Add(time.Duration(i) * time.Minute), Status: "sent", N: 1000 + i})
		if i%3 == 0 {
			r.Minutes = append(r.Minutes, store.Minute{Start: now.Add(time.Duration(i) * time.Minute), Status: "failed", ErrorCode: "UNREGISTERED", N: 1 + i})
		}
	}
	return r, nil
}

func (f *fakeSystem) Outcomes(ctx context.Context, id string, filter store.Filter) (iter.Seq2[notification.Result, error], error) {
	if _, err := f.Show(ctx, id); err != nil {
		return nil, err
	}
	return func(yield func(notification.Result, error) bool) {
		if yield(failed("u1", cmp.Or(filter.Code, "UNREGISTERED")), nil) && f.recordsErr != nil {
			yield(notification.Result{}, f.recordsErr)
		}
	}, nil
}

func (f *fakeSystem) NoteExport(ctx context.Context, id string, filter store.Filter, rows int64) error {
	return f.record("export " + id + " " + filter.Code + " " + operator.Thousands(rows) + " by " + history.ActorOf(ctx))
}

func (f *fakeSystem) Backlog(context.Context) (operator.Backlog, error) {
	return operator.Backlog{Results: 7, DeadLetters: int64(len(f.letters))}, nil
}

// Forecast is 10 recipients a second for each campaign.
func (f *fakeSystem) Forecast(_ context.Context, views ...*operator.View) {
	for _, v := range views {
		v.Forecast = &operator.Forecast{Rate: 10}
	}
}

// PushedThisMinute is 990 of each campaign.
func (f *fakeSystem) PushedThisMinute(_ context.Context, ids []string) (map[string]int64, error) {
	pushed := make(map[string]int64)
	for _, id := range ids {
		pushed[id] = 990
	}
	return pushed, nil
}

func (f *fakeSystem) Processes(context.Context) ([]fleet.Process, error) {
	if f.fleet != nil {
		return f.fleet, nil
	}
	return []fleet.Process{
		{Role: fleet.Dispatcher, Host: "ops-1", PID: 2210, Phase: fleet.Serving, Load: fleet.Load{Held: 3540, OnWire: 812, Leases: 18}, Memory: 86 << 20},
		{Role: fleet.Responder, Host: "ops-2", PID: 1880, Phase: fleet.Serving, Load: fleet.Load{Held: 882, Leases: 4}, Memory: 40 << 20},
	}, nil
}

func (f *fakeSystem) Replay(ctx context.Context, filter responses.Filter, opts operator.ReplayOptions) (operator.ReplaySummary, error) {
	sum := operator.ReplaySummary{Replayed: 2}
	opts.Progress(sum)
	if f.replay != nil {
		<-f.replay
	}
	if ctx.Err() != nil {
		return sum, ctx.Err()
	}
	return sum, f.record("replay " + filter.Code + " at " + operator.Decimal(opts.Rate))
}

func (f *fakeSystem) NoteLettersExport(ctx context.Context, id, which string, letters int64) error {
	return f.record("note export of " + operator.Thousands(letters) + " of " + id + ", " + which + " by " + history.ActorOf(ctx))
}

func (f *fakeSystem) NotePurge(ctx context.Context, id, which string, letters int64) error {
	return f.record("note purge of " + operator.Thousands(letters) + " of " + id + ", " + which + " by " + history.ActorOf(ctx))
}

// EstimateReplay finds no token of one user. It counts up to a hundred letters exactly.
func (f *fakeSystem) EstimateReplay(_ context.Context, letters iter.Seq[responses.DeadLetter]) (operator.ReplaySummary, bool, error) {
	all := int64(0)
	for range letters {
		all++
	}
	return operator.ReplaySummary{Replayed: max(0, all-1), NoToken: min(all, 1)}, all <= 100, nil
}

// fakeProject is a project with a pace.
type fakeProject struct {
	*fakeSystem
	state pacing.State
}

func (f fakeProject) State(context.Context) (pacing.State, error) { return f.state, nil }
func (f fakeProject) Resume(context.Context) error                { return f.record("resume project") }
func (f fakeProject) ResumeFrom(_ context.Context, reason string) (bool, error) {
	return true, f.record("resume project from " + reason)
}
func (f fakeProject) Set(_ context.Context, s pacing.Settings) error {
	return f.record("set quota: " + operator.Thousands(s.Quota) + ", " + operator.Decimal(100*s.Headroom) + "%, " + s.Ramp.String())
}
func (f fakeProject) Note(ctx context.Context, what, detail string) error {
	return f.record("note " + what + " of " + detail + " by " + history.ActorOf(ctx))
}
func (f fakeProject) History(context.Context) ([]notification.HistoryEntry, error) {
	at := f.state.Now.Add(-time.Minute)
	return []notification.HistoryEntry{{ID: "1-0", At: at, What: "halted", Who: "An, console", Detail: "wrong link in the banner"}}, nil
}

func (f fakeProject) Halt(_ context.Context, reason string) error {
	return f.record("halt project: " + reason)
}
