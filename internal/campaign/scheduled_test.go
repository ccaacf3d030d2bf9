package campaign_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/schedule"
	"fanfare/test/backends"
)

// startsByTheClock: a scheduled draft starts at its time and not before, and once.
func startsByTheClock(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	now := b.Redis.Time(t.Context()).Val()
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "42", Message: message, StartAt: now.Add(time.Hour)}))
	f.push("42", 3)
	if d := f.discover(); len(d.Running) != 0 {
		t.Fatalf("running before its time: %v", idsOf(d.Running))
	}
	if s := f.get("42"); !s.IsScheduled() || s.StartAt.UnixMilli() != now.Add(time.Hour).UnixMilli() {
		t.Fatalf("the spec is %+v", s)
	}
	for _, written := range []any{now.Add(-time.Second).UnixMilli(), now.Add(-time.Second).UTC().Format(time.RFC3339Nano)} { // as an application may write it
		f.hset(f.key("42", "spec"), "state", "draft", "start_at", written)
		wantList(t, "running", idsOf(f.discover().Running), "42")
		wantList(t, "running again", idsOf(f.discover().Running), "42")
	}
	entries, err := f.History(t.Context(), "42")
	f.ok(err)
	started := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Detail, "scheduled for ") {
			started++
		}
	}
	wantEqual(t, "starts in the history", started, 2) // one for each draft
}

// startsNotAfterTheExpiryOfItsList: every recipient would expire, so the draft stays one until the
// producer gives the list a longer life.
func startsNotAfterTheExpiryOfItsList(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	now := b.Redis.Time(t.Context()).Val()
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "42", Message: message, StartAt: now.Add(-time.Second)}))
	f.push("42", 3)
	f.ok(b.Redis.Expire(t.Context(), f.list("42").Plain(), time.Hour).Err())
	f.ok(f.Guard(t.Context(), "42"))
	f.hset(f.key("42", "counts"), "deadline", now.Add(-time.Second).UnixMilli()) // that hour has passed
	d := f.discover()
	wantList(t, "running", idsOf(d.Running))
	if len(d.Late) != 1 || !strings.Contains(d.Late[0].Err.Error(), "the expiry of its list") {
		t.Fatalf("late: %+v", d.Late)
	}
	f.ok(b.Redis.Expire(t.Context(), f.list("42").Plain(), time.Hour).Err())
	wantList(t, "running", idsOf(f.discover().Running), "42")
}

// startsNotBeforeAChangedTime: the start is moved to later after Discover has read the old one.
func startsNotBeforeAChangedTime(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	now := b.Redis.Time(t.Context()).Val()
	past := now.Add(-time.Second)
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "42", Message: message, StartAt: past}))
	f.push("42", 3)
	hook := &before{word: "scheduled for " + past.UTC().Format(time.RFC3339), do: func() {
		f.hset(f.key("42", "spec"), "start_at", now.Add(time.Hour).UnixMilli())
	}}
	g := openOn(t, b.WithHook(t, hook), b.Redis, eager)
	wantList(t, "running", idsOf(g.discover().Running))
	wantEqual(t, "moved meanwhile", hook.do == nil, true)
	wantEqual(t, "state", f.get("42").State, campaign.Draft)
}

// waitsForItsAudience: a scheduled draft whose audience is incomplete says so, and does not start.
func waitsForItsAudience(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	past := b.Redis.Time(t.Context()).Val().Add(-time.Second)
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "42", Message: message, StartAt: past}))
	f.hset(f.key("42", "counts"), "seen", 5)
	d := f.discover()
	if len(d.Running) != 0 || len(d.Late) != 1 {
		t.Fatalf("running %v, late %v", idsOf(d.Running), d.Late)
	}
	late, ok := errors.AsType[*campaign.IncompleteStartError](d.Late[0].Err)
	if !ok || late.ID != "42" || !strings.Contains(late.Error(), "5 of 5 recipients went missing") {
		t.Errorf("late because of %v", d.Late[0].Err)
	}
	f.ok(f.Waive(t.Context(), campaign.Spec{ID: "42"}, 5))
	wantList(t, "running", idsOf(f.discover().Running), "42")
}

// staysADraft: a scheduled draft that is refused at its time stays a draft with the reason, and is
// asked about again after a while. It starts once nothing refuses it.
func staysADraft(t *testing.T, b *backends.Backend) {
	refusal, asked := "its waves are too large", 0
	f := openOn(t, b.Redis, b.Redis, campaign.Options{ScanEvery: time.Nanosecond, CheckStart: func(_ context.Context, id string) (string, error) {
		asked++
		return refusal, nil
	}})
	past := b.Redis.Time(t.Context()).Val().Add(-time.Second)
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "42", Message: message, StartAt: past}))
	f.push("42", 3)
	for range 3 {
		d := f.discover()
		if len(d.Running) != 0 || len(d.Late) != 1 || !strings.Contains(d.Late[0].Err.Error(), "campaign 42 does not start by itself: its waves are too large") {
			t.Fatalf("running %v, late %v", idsOf(d.Running), d.Late)
		}
	}
	wantEqual(t, "asked within a minute", asked, 1)
	other := openOn(t, b.Redis, b.Redis, campaign.Options{ScanEvery: time.Nanosecond, CheckStart: func(context.Context, string) (string, error) { return "they are still too large", nil }})
	other.discover()
	wantRefusals := func(what string, want ...string) {
		t.Helper()
		var got []string
		history, err := f.History(t.Context(), "42")
		f.ok(err)
		for _, e := range history {
			if e.What == campaign.NoteRefused {
				got = append(got, e.Detail)
			}
		}
		wantList(t, what, got, want...)
	}
	wantRefusals("refusals of two processes", refusal)
	later := past.Add(-time.Second)
	f.ok(f.Change(t.Context(), "42", campaign.Change{StartAt: &later}))
	f.discover()
	wantRefusals("refusals after another start", refusal, refusal)
	wantEqual(t, "state", f.get("42").State, campaign.Draft)
	refusal = ""
	again := openOn(t, b.Redis, b.Redis, campaign.Options{ScanEvery: time.Nanosecond, CheckStart: func(context.Context, string) (string, error) { return refusal, nil }})
	wantList(t, "running", idsOf(again.discover().Running), "42")
}

// changesTheTimes: times are validated at creation, by a change, and when an application wrote
// them.
func changesTheTimes(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	windows, err := schedule.ParseWindows("mon-fri 09:00-21:00; sat 22:00-02:00")
	f.ok(err)
	local, err := schedule.ParseLocal("2030-01-01T18:00±10m")
	f.ok(err)
	f.ok(f.Create(t.Context(), campaign.Spec{ID: "42", Message: message, Windows: windows, LocalTime: local, TimeZone: "Asia/Saigon"}))
	s := f.get("42")
	if s.Windows.String() != windows.String() || s.LocalTime != local || s.Rules().DefaultZone().String() != "Asia/Saigon" {
		t.Fatalf("the spec is %+v", s)
	}
	err = f.Create(t.Context(), campaign.Spec{ID: "43", Message: message, TimeZone: "Mars/Olympus"})
	if bad, ok := errors.AsType[*campaign.SpecError](err); !ok || bad.Field != "time_zone" {
		t.Errorf("a bad zone is refused with %v", err)
	}
	zone := "Mars/Olympus"
	err = f.Change(t.Context(), "42", campaign.Change{TimeZone: &zone})
	if bad, ok := errors.AsType[*campaign.SpecError](err); !ok || bad.Field != "time_zone" {
		t.Errorf("a bad zone is refused with %v", err)
	}
	f.ok(f.Change(t.Context(), "42", campaign.Change{Windows: &schedule.Windows{}, LocalTime: &schedule.LocalTime{}}))
	if s := f.get("42"); !s.Rules().IsZero() {
		t.Errorf("the rules are %+v after they were removed", s.Rules())
	}
	for field, value := range map[string]string{"windows": "9 to 5", "local_time": "tue 18:00", "time_zone": "Mars/Olympus", "start_at": "soon"} {
		f.hset(f.key("42", "spec"), field, value)
		_, err := f.Get(t.Context(), "42")
		if bad, ok := errors.AsType[*campaign.SpecError](err); !ok || bad.Field != field {
			t.Errorf("%s %q is refused with %v", field, value, err)
		}
		f.hset(f.key("42", "spec"), field, "")
	}
	f.move("42", campaign.Running)
	at := time.Now().Add(time.Hour)
	err = f.Change(t.Context(), "42", campaign.Change{StartAt: &at})
	if refused, ok := errors.AsType[*campaign.TransitionError](err); !ok || !strings.Contains(refused.Error(), "only a draft can be scheduled") {
		t.Errorf("a start of a running campaign is refused with %v", err)
	}
}

func TestCheckTimes(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC) // a Tuesday
	in := func(d time.Duration) time.Time { return now.Add(d) }
	for name, c := range map[string]struct {
		start, deadline time.Time
		windows, local  string
		field           string // "" is accepted
	}{
		"nothing":                        {},
		"a start ahead":                  {start: in(time.Hour)},
		"a start that has passed":        {start: in(0), field: "start_at"},
		"a start after the deadline":     {start: in(2 * time.Hour), deadline: in(time.Hour), field: "start_at"},
		"a start at the deadline":        {start: in(time.Hour), deadline: in(time.Hour), field: "start_at"},
		"a window that never opens":      {deadline: in(24 * time.Hour), windows: "fri 09:00-10:00", field: "windows"},
		"a window that opens somewhere":  {deadline: in(24 * time.Hour), windows: "wed 09:00-10:00"},
		"a local time that has passed":   {local: "2029-12-31T23:59", field: "local_time"},
		"one that passes by the start":   {start: in(48 * time.Hour), local: "2030-01-02T12:00", field: "local_time"},
		"a local time ahead in the west": {local: "2030-01-01T01:00"},
		"a local time after all":         {deadline: in(time.Hour), local: "2030-01-02T09:00", field: "local_time"},
		"a local time in no window":      {deadline: in(72 * time.Hour), windows: "09:00-10:00", local: "2030-01-02T12:00±30m", field: "windows"},
	} {
		windows, err := schedule.ParseWindows(c.windows)
		if err != nil {
			t.Fatal(err)
		}
		local, err := schedule.ParseLocal(c.local)
		if err != nil {
			t.Fatal(err)
		}
		err = campaign.Spec{ID: "42", State: campaign.Draft, StartAt: c.start, Deadline: c.deadline, Windows: windows, LocalTime: local}.CheckTimes(now)
		bad, refused := errors.AsType[*campaign.SpecError](err)
		if c.field == "" && err != nil || c.field != "" && (!refused || bad.Field != c.field) {
			t.Errorf("%s: %v, want the field %q", name, err, c.field)
		}
	}
}
