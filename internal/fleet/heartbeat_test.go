package fleet

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/warnings"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// An outage is logged once, however many beats fail. A process that stops reports none.
func TestChangesAreLoggedOnce(t *testing.T) {
	t.Parallel()
	var log buffer
	h := (&Fleet{}).NewHeartbeat(Process{}, &working{}, slog.New(slog.NewTextHandler(&log, nil)))
	stopped, stop := context.WithCancel(t.Context())
	stop()
	h.logChange(stopped, stopped.Err())
	for _, err := range []error{nil, io.EOF, io.EOF, nil, nil, io.EOF, nil, nil} {
		h.logChange(t.Context(), err)
	}
	if log := log.String(); strings.Count(log, "heartbeat failed") != 2 || strings.Count(log, "succeeded again") != 2 {
		t.Errorf("logged %s", log)
	}
}

// The end of a started heartbeat takes its process off the list, and says when it could not.
func TestStartedHeartbeatEnds(t *testing.T) {
	t.Parallel()
	b := backends.OpenMiniredis(t)
	f := newFleet(t, b)
	ctx, cancel := context.WithCancel(t.Context())
	stop := f.NewHeartbeat(Process{Role: Dispatcher, PID: 7}, &working{}, slog.New(slog.DiscardHandler)).Start(ctx)
	servers.Eventually(t, "the process is listed", func() bool { return len(f.list(t)) == 1 })
	cancel() // what the process ends by must not end the heartbeat
	if err := stop(t.Context()); err != nil {
		t.Error(err)
	}
	if all := f.list(t); len(all) != 0 {
		t.Errorf("listed %+v after the end", all)
	}
	last := f.NewHeartbeat(Process{Role: Dispatcher}, &working{}, slog.New(slog.DiscardHandler)).Start(t.Context())
	gone, end := context.WithCancel(t.Context())
	end()
	if err := last(gone); err == nil || !strings.Contains(err.Error(), "remove heartbeat") {
		t.Errorf("without Redis: %v", err)
	}
}

// failing is the handler of a log with more warnings than a beat reports.
type failing struct{ slog.Handler }

func (failing) List(limit int) []warnings.Current { return make([]warnings.Current, min(limit, 100)) }

// A beat reports the first warnings, and counts for three intervals.
func TestBeat(t *testing.T) {
	t.Parallel()
	b := backends.OpenMiniredis(t)
	f := New(b.Redis, keys.Default())
	h := f.NewHeartbeat(Process{Role: Dispatcher}, &working{}, slog.New(failing{slog.DiscardHandler}))
	if err := h.beat(t.Context()); err != nil {
		t.Fatal(err)
	}
	if all := f.list(t); len(all) != 1 || len(all[0].Warnings) != 5 {
		t.Errorf("listed %+v, want one process with five warnings", all)
	}
	if left := b.Redis.PTTL(t.Context(), f.key(Dispatcher)).Val(); left != 6*time.Second {
		t.Errorf("the beat counts for %s, want 6s", left)
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	for want, p := range map[string]Process{
		"":                                     {Role: Dispatcher, Phase: Serving},
		"waits for FCM":                        {Role: Dispatcher, Phase: Starting},
		"waits for the database":               {Role: Responder, Phase: Starting},
		"is stopping":                          {Role: Responder, Phase: Stopping},
		"serves campaign 42 alone":             {Role: Dispatcher, Phase: Serving, Campaign: "42"},
		"is stopping, serves campaign 7 alone": {Role: Dispatcher, Phase: Stopping, Campaign: "7"},
	} {
		if got := strings.Join(p.Notes(), ", "); got != want {
			t.Errorf("%+v: %q, want %q", p, got, want)
		}
	}
}

// Processes of one host are listed by their start, and those of one moment by their ids.
func TestOrder(t *testing.T) {
	t.Parallel()
	f := newFleet(t, backends.OpenMiniredis(t))
	at := time.Now().UTC()
	for n := range 6 {
		f.start(t, Process{Role: Dispatcher, PID: n, StartedAt: at.Add(time.Duration(-(n / 3)) * time.Hour)}, Load{})
	}
	all := f.list(t)
	if len(all) != 6 || all[2].PID < 3 || all[3].PID > 2 || !slices.IsSortedFunc(all[:3], byID) || !slices.IsSortedFunc(all[3:], byID) {
		t.Errorf("listed %+v", all)
	}
}

func byID(a, b Process) int { return strings.Compare(a.ID, b.ID) }
