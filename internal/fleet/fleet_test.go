package fleet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"fanfare/internal/keys"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// working is a worker with a fixed load.
type working Load

func (w *working) Load() Load { return Load(*w) }

func TestFleet(t *testing.T) {
	t.Parallel()
	backends.Run(t, backends.Suite{
		{Name: "processes are listed until they are removed", Test: listed},
		{Name: "a process that dies is forgotten", Test: forgotten},
		{Name: "a clock that was set back", Test: clockSetBack},
		{Name: "rubbish is left out and removed", Test: rubbish},
		{Name: "wrong type", Test: wrongType},
	})
}

// newFleet returns an empty fleet whose keys no other case uses.
func newFleet(t *testing.T, b *backends.Backend) *Fleet {
	names := keys.Default()
	names.CampaignPrefix, names.Responses = t.Name()+":", t.Name()+"-responses"
	return New(b.Redis, names)
}

func (f *Fleet) start(t *testing.T, p Process, load Load) *Heartbeat {
	t.Helper()
	w := working(load)
	h := f.NewHeartbeat(p, &w, slog.New(slog.DiscardHandler))
	if err := h.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	return h
}

func (f *Fleet) list(t *testing.T) []Process {
	t.Helper()
	all, err := f.List(t.Context())
	if err != nil || all == nil {
		t.Fatalf("list %v: %v", all, err)
	}
	return all
}

func listed(t *testing.T, b *backends.Backend) {
	f := newFleet(t, b)
	if all := f.list(t); len(all) != 0 {
		t.Fatalf("an empty fleet has %+v", all)
	}
	responder := f.start(t, Process{Role: Responder, Host: "a", PID: 3}, Load{Held: 5})
	load := Load{Held: 40, OnWire: 30, Leases: 2, OldestLease: 1500 * time.Millisecond, Done: 7}
	second := f.start(t, Process{Role: Dispatcher, Host: "b", PID: 2, Project: "p", Campaign: "42", Version: "v1", StartedAt: time.Now().UTC()}, load)
	f.start(t, Process{Role: Dispatcher, Host: "a", PID: 1}, Load{})
	all := f.list(t)
	if len(all) != 3 || all[0].PID != 1 || all[1].PID != 2 || all[2].PID != 3 {
		t.Fatalf("listed %+v, want dispatchers by host and then the responder", all)
	}
	got := all[1]
	if got.Load != load || got.Project != "p" || got.Campaign != "42" || got.Version != "v1" || got.Phase != Starting || got.Memory == 0 || got.BeatAge < 0 || got.BeatAge > servers.Patience {
		t.Errorf("process %+v", got)
	}
	second.SetPhase(Stopping)
	second.SetPhase(Serving)
	if err := second.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.list(t)[1]; got.Phase != Stopping {
		t.Errorf("a stopping process became %s", got.Phase)
	}
	for _, h := range []*Heartbeat{responder, second} {
		if err := h.Remove(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if all := f.list(t); len(all) != 1 || all[0].PID != 1 {
		t.Errorf("left %+v, want the dispatcher that was not removed", all)
	}
	if ttl := b.Redis.PTTL(t.Context(), f.key(Dispatcher)).Val(); ttl <= 0 || ttl > missedBeats*Interval {
		t.Errorf("the key expires in %s, want three beats", ttl)
	}
}

// A living process keeps the key, and the dead one leaves it.
func forgotten(t *testing.T, b *backends.Backend) {
	f := newFleet(t, b)
	dead := f.start(t, Process{Role: Dispatcher, PID: 1}, Load{})
	dead.interval = 10 * time.Millisecond
	if err := dead.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	alive := f.start(t, Process{Role: Dispatcher, PID: 2}, Load{})
	if b.Name != "miniredis" { // its clock stands in scripts only if it is set
		servers.Eventually(t, "the dead process is not listed", func() bool { return len(f.list(t)) == 1 })
		if n := b.Redis.HLen(t.Context(), f.key(Dispatcher)).Val(); n != 2 {
			t.Errorf("%d entries before the next beat, want 2", n)
		}
	}
	servers.Eventually(t, "a beat removes the dead process", func() bool {
		return alive.beat(t.Context()) == nil && b.Redis.HLen(t.Context(), f.key(Dispatcher)).Val() == 1
	})
	if all := f.list(t); len(all) != 1 || all[0].PID != 2 {
		t.Errorf("left %+v, want the living one", all)
	}
}

func clockSetBack(t *testing.T, b *backends.Backend) {
	f := newFleet(t, b)
	if err := b.Redis.HSet(t.Context(), f.key(Dispatcher), "later", `9000000000000 9000000006000 {"pid":1}`).Err(); err != nil {
		t.Fatal(err)
	}
	if all := f.list(t); len(all) != 0 {
		t.Errorf("listed %+v, whose beat is in the future", all)
	}
}

func rubbish(t *testing.T, b *backends.Backend) {
	f := newFleet(t, b)
	if err := b.Redis.HSet(t.Context(), f.key(Dispatcher), "a", "x", "b", "", "c", "1 9000000000000 {").Err(); err != nil {
		t.Fatal(err)
	}
	f.start(t, Process{Role: Dispatcher, PID: 7}, Load{})
	if all := f.list(t); len(all) != 1 || all[0].PID != 7 {
		t.Errorf("listed %+v, want the process that can be read", all)
	}
	if left := b.Redis.HKeys(t.Context(), f.key(Dispatcher)).Val(); len(left) != 2 {
		t.Errorf("the entries %q are left, want c until it ends and the process", left)
	}
}

func wrongType(t *testing.T, b *backends.Backend) {
	f := newFleet(t, b)
	if err := b.Redis.Set(t.Context(), f.key(Dispatcher), "mine", 0).Err(); err != nil {
		t.Fatal(err)
	}
	_, err := f.List(t.Context())
	if mistyped, ok := errors.AsType[*redisx.TypeError](err); !ok || mistyped.Key != f.key(Dispatcher) {
		t.Errorf("list: %v, want a TypeError", err)
	}
	h := f.NewHeartbeat(Process{Role: Dispatcher}, &working{}, slog.New(slog.DiscardHandler))
	if _, ok := errors.AsType[*redisx.TypeError](h.beat(t.Context())); !ok {
		t.Error("a beat replaced a key of another type")
	}
	if held := b.Redis.Get(t.Context(), f.key(Dispatcher)).Val(); held != "mine" {
		t.Errorf("the key holds %q", held)
	}
}

// The rate is what was finished between two beats that Redis knows.
func TestRate(t *testing.T) {
	t.Parallel()
	b := backends.OpenMiniredis(t)
	f, w, now := newFleet(t, b), &working{Done: 100}, time.Now()
	h := f.NewHeartbeat(Process{Role: Dispatcher}, w, slog.New(slog.DiscardHandler))
	h.now = func() time.Time { return now }
	cut, cancel := context.WithCancel(t.Context())
	cancel()
	for _, step := range []struct {
		ctx  context.Context
		done int64
		want float64
	}{{t.Context(), 100, 0}, {t.Context(), 300, 100}, {cut, 500, 100}, {t.Context(), 700, 100}, {t.Context(), 700, 0}} {
		w.Done = step.done
		if err := h.beat(step.ctx); (err != nil) != (step.ctx == cut) {
			t.Fatal(err)
		}
		if all := f.list(t); all[0].Rate != step.want {
			t.Errorf("after %d the rate is %v, want %v", step.done, all[0].Rate, step.want)
		}
		now = now.Add(2 * time.Second)
	}
}

// A heartbeat survives an outage of Redis, and logs its two ends.
func TestOutage(t *testing.T) {
	t.Parallel()
	b := backends.OpenMiniredis(t)
	f := newFleet(t, b)
	if err := b.Redis.Set(t.Context(), f.key(Responder), "mine", 0).Err(); err != nil {
		t.Fatal(err)
	}
	var log buffer
	h := f.NewHeartbeat(Process{Role: Responder, PID: 7}, &working{}, slog.New(slog.NewTextHandler(&log, nil)))
	h.interval = 5 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { h.Run(ctx) })
	servers.Eventually(t, "the failure is logged", func() bool { return strings.Contains(log.String(), "heartbeat failed") })
	if err := b.Redis.Del(t.Context(), f.key(Responder)).Err(); err != nil {
		t.Fatal(err)
	}
	servers.Eventually(t, "the recovery is logged", func() bool { return strings.Contains(log.String(), "heartbeat succeeded again") })
	stop()
	running.Wait()
	if lines := strings.Count(log.String(), "\n"); lines != 2 {
		t.Errorf("%d lines, want 2: %s", lines, log.String())
	}
}

// The JSON of a process has seconds, and is read back as it was.
func TestJSON(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(Process{Role: Responder, Load: Load{OldestLease: 1500 * time.Millisecond}, BeatAge: 2 * time.Second})
	if err != nil || !strings.Contains(string(text), `"oldestLeaseSeconds":1.5`) || !strings.Contains(string(text), `"beatAgeSeconds":2`) {
		t.Errorf("JSON %s: %v", text, err)
	}
}

func TestCanServe(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p                 Process
		campaign, project string
		want              bool
	}{
		{Process{Role: Dispatcher, Project: "p"}, "42", "p", true},
		{Process{Role: Dispatcher, Project: "p"}, "42", "", true},
		{Process{Role: Dispatcher, Project: "p"}, "42", "q", false},
		{Process{Role: Dispatcher}, "42", "q", true},
		{Process{Role: Dispatcher, Project: "p", Campaign: "42"}, "42", "p", true},
		{Process{Role: Dispatcher, Project: "p", Campaign: "7"}, "42", "p", false},
		{Process{Role: Dispatcher, Project: "p", Phase: Stopping}, "42", "p", false},
		{Process{Role: Responder}, "42", "", false},
	} {
		if got := c.p.CanServe(c.campaign, c.project); got != c.want {
			t.Errorf("%+v serves campaign %s of %q: %t", c.p, c.campaign, c.project, got)
		}
	}
}

// buffer is a log that may be read while it is written.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
