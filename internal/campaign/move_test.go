package campaign_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func movesByTheTable(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, from := range campaign.States {
		for _, to := range campaign.States {
			id := fmt.Sprintf("%s-%s", from, to)
			f.into(id, from)
			err := f.Move(t.Context(), id, to, "because")
			if legal := slices.Contains(from.Next(), to) || from == to; legal {
				if err != nil {
					t.Errorf("%s → %s: %v", from, to, err)
				}
				wantEqual(t, id, f.get(id).State, to)
				continue
			}
			wrong, ok := errors.AsType[*campaign.TransitionError](err)
			if !ok || *wrong != (campaign.TransitionError{ID: id, From: from, To: to}) {
				t.Errorf("%s → %s: %v, want a refusal", from, to, err)
			}
			wantEqual(t, id, f.get(id).State, from)
			wantEqual(t, id+" reason", f.get(id).Reason, "")
		}
	}
	f.refused("move nobody", f.Move(t.Context(), "nobody", campaign.Running, ""), campaign.ErrNotFound)
	if err := f.Move(t.Context(), "draft-draft", "asleep", ""); err == nil {
		t.Error("moved into a state that does not exist")
	}
}

func stampsByTheServersClock(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Draft)
	near := func(what string, at time.Time) {
		t.Helper()
		if off := time.Since(at).Abs(); off > patience {
			t.Errorf("%s at %s, %s from now", what, at, off)
		}
	}
	near("created", f.get("1").CreatedAt)
	wantEqual(t, "started", f.get("1").StartedAt, time.Time{})
	f.move("1", campaign.Running)
	started := f.get("1").StartedAt
	near("started", started)
	f.ok(f.Move(t.Context(), "1", campaign.Paused, "too many refusals"))
	wantEqual(t, "reason", f.get("1").Reason, "too many refusals")
	f.ok(f.Move(t.Context(), "1", campaign.Paused, "another"))
	wantEqual(t, "reason of the first", f.get("1").Reason, "too many refusals")
	near("paused", f.get("1").PausedAt)
	f.move("1", campaign.Running)
	wantEqual(t, "paused when running again", f.get("1").PausedAt, time.Time{})
	wantEqual(t, "reason", f.get("1").Reason, "")
	wantEqual(t, "started once", f.get("1").StartedAt, started)
	wantEqual(t, "finished", f.get("1").FinishedAt, time.Time{})
	f.move("1", campaign.Completed)
	near("finished", f.get("1").FinishedAt)
	f.move("1", campaign.Running)
	wantEqual(t, "finished when running again", f.get("1").FinishedAt, time.Time{})
}

// patience bounds every wait; none comes near it unless something is broken.
const patience = 30 * time.Second

func movesOneAtATime(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.into("1", campaign.Running)
	var won atomic.Int32
	var group sync.WaitGroup
	for i := range 12 {
		to := []campaign.State{campaign.Cancelled, campaign.Expired}[i%2]
		group.Go(func() {
			if f.Move(t.Context(), "1", to, "") == nil {
				won.Add(1)
			}
		})
	}
	group.Wait()
	wantEqual(t, "moves that succeeded: those to one of two ends", won.Load(), 6)
}

func closesTheGate(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.create("1", campaign.Draft)
	f.push("1", 10)
	for _, c := range []struct {
		to   campaign.State
		open bool
	}{
		{campaign.Draft, false}, {campaign.Running, true}, {campaign.Paused, false},
		{campaign.Running, true}, {campaign.Cancelled, false},
	} {
		f.move("1", c.to)
		_, err := f.queue("1").Claim(t.Context(), queue.NewID(), 1)
		if c.open {
			f.ok(err)
			continue
		}
		if closed, ok := errors.AsType[*queue.GateClosedError](err); !ok || closed.Value != string(c.to) {
			t.Errorf("claim while %s: %v", c.to, err)
		}
	}
	wantEqual(t, "waiting in the cancelled campaign", f.books("1").Waiting, 8)
	wantEqual(t, "in flight", f.books("1").InFlight, 2)
}
