package campaign_test

import (
	"errors"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/test/backends"
)

func createsOnce(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	want := campaign.Spec{
		ID: "42", Message: message, OnAmbiguous: campaign.Report, Devices: campaign.LatestDevice, Weight: 7, Name: "Spring",
		Priority: 9, Rate: 0.5, Deadline: time.Date(2031, 1, 2, 3, 4, 5, 6e6, time.UTC),
	}
	f.ok(f.Create(t.Context(), want))
	got := f.get("42")
	wantEqual(t, "state", got.State, campaign.Draft)
	wantEqual(t, "message", string(got.Message), string(message))
	wantEqual(t, "on_ambiguous", got.OnAmbiguous, campaign.Report)
	wantEqual(t, "devices", got.Devices, campaign.LatestDevice)
	wantEqual(t, "weight", got.Weight, 7)
	wantEqual(t, "name", got.Name, "Spring")
	wantEqual(t, "priority", got.Priority, 9)
	wantEqual(t, "rate", got.Rate, 0.5)
	wantEqual(t, "deadline", got.Deadline, want.Deadline)
	wantEqual(t, "registered", f.registered("42"), true)
	wantEqual(t, "expiry", f.expiry(f.key("42", keys.SuffixSpec)), never)
	f.refused("second create", f.Create(t.Context(), want), campaign.ErrExists)

	var created atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := f.Create(t.Context(), campaign.Spec{ID: "43", Message: message}); err == nil {
				created.Add(1)
			}
		})
	}
	group.Wait()
	wantEqual(t, "creations side by side that succeeded", created.Load(), 1)
	_, err := f.Get(t.Context(), "44")
	f.refused("get", err, campaign.ErrNotFound)
}

func createRefuses(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for field, s := range map[string]campaign.Spec{
		"state":        {ID: "1", Message: message, State: campaign.Completed},
		"message":      {ID: "1"},
		"devices":      {ID: "1", Message: message, Devices: "some"},
		"on_ambiguous": {ID: "1", Message: message, OnAmbiguous: "perhaps"},
		"dedupe":       {ID: "1", Message: message, Dedupe: "device"},
		"weight":       {ID: "1", Message: message, Weight: -1},
		"priority":     {ID: "1", Message: message, Priority: 10},
		"rate":         {ID: "1", Message: message, Rate: math.NaN()},
		"deadline":     {ID: "1", Message: message, Deadline: time.Unix(1, 0)},
	} {
		err := f.Create(t.Context(), s)
		if wrong, ok := errors.AsType[*campaign.SpecError](err); !ok || wrong.Field != field {
			t.Errorf("create %+v: %v, want an error about %s", s, err, field)
		}
	}
	if _, ok := errors.AsType[*keys.IDError](f.Create(t.Context(), campaign.Spec{ID: "a}b", Message: message})); !ok {
		t.Error("an id that cannot be one was created")
	}
	wantList(t, "keys", f.everyKey(b))
}

func readsForeignSpecs(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.hset(f.key("1", keys.SuffixSpec), "message", string(message), "state", "running", "theirs", "stays",
		"rate", "12.5", "deadline", "2031-05-01T10:00:00+02:00", "created_at", "2026-05-01T10:00:00.250+02:00", "started_at", "1777622400250", "finished_at", "yesterday")
	s := f.get("1")
	wantEqual(t, "state", s.State, campaign.Running)
	wantEqual(t, "on_ambiguous", s.OnAmbiguous, campaign.Resend)
	wantEqual(t, "devices", s.Devices, campaign.AllDevices)
	wantEqual(t, "dedupe", s.Dedupe, campaign.DedupeAddress)
	wantEqual(t, "weight", s.Weight, 1)
	wantEqual(t, "priority", s.Priority, 0)
	wantEqual(t, "rate", s.Rate, 12.5)
	wantEqual(t, "deadline", s.Deadline, time.Date(2031, 5, 1, 8, 0, 0, 0, time.UTC))
	wantEqual(t, "created", s.CreatedAt, time.Date(2026, 5, 1, 8, 0, 0, 250e6, time.UTC))
	wantEqual(t, "started", s.StartedAt, time.Date(2026, 5, 1, 8, 0, 0, 250e6, time.UTC))
	wantEqual(t, "finished", s.FinishedAt, time.Time{})
	f.move("1", campaign.Paused)
	theirs, err := f.rdb.HGet(t.Context(), f.key("1", keys.SuffixSpec), "theirs").Result()
	f.ok(err)
	wantEqual(t, "their field", theirs, "stays")
}

func namesWhatIsWrong(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for id, c := range map[string]struct {
		field  string
		values []any
	}{
		"state":     {"state", []any{"message", "{}", "state", "Running"}},
		"no state":  {"state", []any{"message", "{}"}},
		"message":   {"message", []any{"state", "running"}},
		"devices":   {"devices", []any{"message", "{}", "state", "running", "devices", "some"}},
		"ambiguous": {"on_ambiguous", []any{"message", "{}", "state", "running", "on_ambiguous", "maybe"}},
		"dedupe":    {"dedupe", []any{"message", "{}", "state", "running", "dedupe", ""}},
		"weight":    {"weight", []any{"message", "{}", "state", "running", "weight", "0"}},
		"heavy":     {"weight", []any{"message", "{}", "state", "running", "weight", "1001"}},
		"words":     {"weight", []any{"message", "{}", "state", "running", "weight", strings.Repeat("x", 100)}},
		"urgent":    {"priority", []any{"message", "{}", "state", "running", "priority", "high"}},
		"stopped":   {"rate", []any{"message", "{}", "state", "running", "rate", "0"}},
		"endless":   {"rate", []any{"message", "{}", "state", "running", "rate", "inf"}},
		"someday":   {"deadline", []any{"message", "{}", "state", "running", "deadline", "tomorrow"}},
		"seconds":   {"deadline", []any{"message", "{}", "state", "running", "deadline", "1900000000"}},
	} {
		f.hset(f.key(id, keys.SuffixSpec), c.values...)
		_, err := f.Get(t.Context(), id)
		wrong, ok := errors.AsType[*campaign.SpecError](err)
		if !ok || wrong.Field != c.field || wrong.ID != id || len(err.Error()) > 200 {
			t.Errorf("get %s: %v, want an error about %s", id, err, c.field)
		}
	}
	_, err := errors.AsType[*campaign.SpecError](f.Move(t.Context(), "state", campaign.Paused, ""))
	wantEqual(t, "move names the state", err, true)
}
