package campaign_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

func changesWhatRuns(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Running)
	f.hset(f.key("1", keys.SuffixSpec), "theirs", "stays")
	deadline := time.Date(2031, 1, 2, 3, 4, 5, 0, time.UTC)
	f.ok(f.Change(t.Context(), "1", campaign.Change{Rate: new(0.5), Deadline: &deadline, Priority: new(3)}))
	f.ok(f.Change(t.Context(), "1", campaign.Change{Weight: new(7), OnAmbiguous: new(campaign.Report), Devices: new(campaign.LatestDevice)}))
	got := f.discover().Running
	wantEqual(t, "campaigns that run", len(got), 1)
	s := got[0]
	wantEqual(t, "rate", s.Rate, 0.5)
	wantEqual(t, "deadline", s.Deadline, deadline)
	wantEqual(t, "priority", s.Priority, 3)
	wantEqual(t, "weight", s.Weight, 7)
	wantEqual(t, "on_ambiguous", s.OnAmbiguous, campaign.Report)
	wantEqual(t, "devices", s.Devices, campaign.LatestDevice)
	wantEqual(t, "message", string(s.Message), string(message))

	f.ok(f.Change(t.Context(), "1", campaign.Change{Rate: new(0.0), Deadline: new(time.Time{})}))
	fields, err := f.rdb.HGetAll(t.Context(), f.key("1", keys.SuffixSpec)).Result()
	f.ok(err)
	for _, gone := range []string{"rate", "deadline"} {
		if value, there := fields[gone]; there {
			t.Errorf("%s was removed, and holds %q", gone, value)
		}
	}
	wantEqual(t, "their field", fields["theirs"], "stays")
	wantEqual(t, "what was not changed", f.get("1").Weight, 7)
}

func changeRefuses(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Draft)
	for field, change := range map[string]campaign.Change{
		"weight":       {Weight: new(0)},
		"priority":     {Priority: new(-1)},
		"rate":         {Rate: new(-0.5)},
		"deadline":     {Deadline: new(time.Unix(1, 0))},
		"devices":      {Devices: new(campaign.DevicePolicy("some"))},
		"on_ambiguous": {OnAmbiguous: new(campaign.OnAmbiguous("perhaps"))},
		"dedupe":       {Dedupe: new(campaign.Dedupe("device"))},
		"message":      {Message: notification.Message{}},
	} {
		if change.Weight == nil {
			change.Weight = new(5) // is not changed either
		}
		err := f.Change(t.Context(), "1", change)
		if wrong, ok := errors.AsType[*campaign.SpecError](err); !ok || wrong.Field != field {
			t.Errorf("change to %+v: %v, want an error about %s", change, err, field)
		}
	}
	wantEqual(t, "weight", f.get("1").Weight, 1)
	f.refused("change of nobody", f.Change(t.Context(), "2", campaign.Change{Weight: new(5)}), campaign.ErrNotFound)
	wantEqual(t, "keys of nobody", f.expiry(f.key("2", keys.SuffixSpec)), -2)
	f.ok(f.rdb.Set(t.Context(), f.key("3", keys.SuffixSpec), "text", 0).Err())
	if _, ok := errors.AsType[*redisx.TypeError](f.Change(t.Context(), "3", campaign.Change{Weight: new(5)})); !ok {
		t.Error("a key of another type was taken")
	}
}

func changesTheMessageOfWhatStands(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	other := campaign.Change{Message: notification.Message(`{"notification":{"title":"Corrected"}}`), Weight: new(5)}
	for state, allowed := range map[campaign.State]bool{
		campaign.Draft: true, campaign.Paused: true, campaign.Running: false, campaign.Completed: false,
		campaign.Cancelled: false, campaign.Expired: false,
	} {
		id := string(state)
		f.into(id, state)
		err := f.Change(t.Context(), id, other)
		wrong, refused := errors.AsType[*campaign.TransitionError](err)
		switch s := f.get(id); {
		case allowed:
			f.ok(err)
			wantEqual(t, "message of a "+id, string(s.Message), string(other.Message))
			wantEqual(t, "weight of a "+id, s.Weight, 5)
			wantEqual(t, "state", s.State, state)
		case !refused || wrong.From != state || !strings.HasPrefix(wrong.Error(), "campaign "+id+" is "):
			t.Errorf("%s: %v, want that it is refused", state, err)
		default:
			wantEqual(t, "message of a "+id, string(s.Message), string(message))
			wantEqual(t, "weight of a "+id, s.Weight, 1)
		}
	}
	f.refused("message of nobody", f.Change(t.Context(), "none", other), campaign.ErrNotFound)
}

// A process that sends the earlier message of a campaign claims nothing more of it.
func TestChangeEndsTheQueuesOfTheEarlierMessage(t *testing.T) {
	f := open(t, backends.OpenMiniredis(t))
	f.create("1", campaign.Draft)
	f.push("1", 3)
	before, err := f.QueueOf(f.get("1"))
	f.ok(err)
	f.ok(f.Change(t.Context(), "1", campaign.Change{Message: notification.Message(`{"notification":{"title":"Corrected"}}`)}))
	f.move("1", campaign.Running)
	if _, err := before.Claim(t.Context(), "c1", 1); !isClosed(err) {
		t.Errorf("claim for the earlier message: %v, want that the gate is closed", err)
	}
	after, err := f.QueueOf(f.get("1"))
	f.ok(err)
	l, err := after.Claim(t.Context(), "c2", 1)
	f.ok(err)
	wantEqual(t, "claimed for the new message", len(l.Elements), 1)
}

func isClosed(err error) bool {
	_, closed := errors.AsType[*queue.GateClosedError](err)
	return closed
}

// changesAnyEdition replaces the message of specs whose edition is missing, a number or an
// application's own text.
func changesAnyEdition(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	other := campaign.Change{Message: notification.Message(`{"notification":{"title":"Corrected"}}`)}
	for i, c := range []struct{ before, after string }{{"", "1"}, {"41", "42"}, {"spring", "1"}} {
		id := fmt.Sprint(i)
		f.create(id, campaign.Draft)
		if c.before != "" {
			f.hset(f.key(id, keys.SuffixSpec), "edition", c.before)
		}
		f.ok(f.Change(t.Context(), id, other))
		wantEqual(t, "edition after "+c.before, f.get(id).Edition, c.after)
		wantEqual(t, "message", string(f.get(id).Message), string(other.Message))
	}
}

func TestTheEarliestDeadlineCounts(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	wantEqual(t, "of two", campaign.Earliest(late, early), early)
	wantEqual(t, "of one and none", campaign.Earliest(time.Time{}, late), late)
	wantEqual(t, "of none", campaign.Earliest(time.Time{}, time.Time{}), time.Time{})
}
