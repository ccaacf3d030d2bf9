package cuts

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
)

// TestCampaignMoves cuts what creates, changes and moves campaigns: the same call again brings it
// to its end.
func TestCampaignMoves(t *testing.T) {
	sound, cutting, k := open(t)
	all, err := campaign.New(cutting, keys.Default(), campaign.Options{Retention: time.Hour, Actor: "ann@host"})
	must(t, err)
	spec := campaign.Spec{ID: "42", Message: []byte(`{"notification":{"title":"Hello"}}`), State: campaign.Running}
	in := func(states ...campaign.State) func(t *testing.T) *redis.Client {
		return func(t *testing.T) *redis.Client {
			must(t, sound.FlushAll(t.Context()).Err())
			must(t, all.Create(t.Context(), spec))
			for _, state := range states {
				must(t, all.Move(t.Context(), "42", state, "because"))
			}
			return sound
		}
	}
	to := func(state campaign.State) func(t *testing.T, _ *redis.Client) error {
		return func(t *testing.T, _ *redis.Client) error { return all.Move(t.Context(), "42", state, "again") }
	}
	is := func(act func(t *testing.T, _ *redis.Client) error, state campaign.State) func(t *testing.T, _ *redis.Client) {
		return func(t *testing.T, rdb *redis.Client) {
			must(t, act(t, rdb))
			got, err := all.Get(t.Context(), "42")
			must(t, err)
			if got.State != state || got.CreatedAt.IsZero() || len(got.Message) == 0 {
				t.Errorf("campaign became %+v, want %s", got, state)
			}
			if got.PausedAt.IsZero() != (state != campaign.Paused) {
				t.Errorf("campaign became %s, paused at %s", state, got.PausedAt)
			}
			if (got.CancelledBy == "") != (state != campaign.Cancelled) {
				t.Errorf("campaign became %s, cancelled by %q", state, got.CancelledBy)
			}
			if ttl := rdb.PTTL(t.Context(), "{campaign:42}:spec").Val(); state == campaign.Running && ttl >= 0 {
				t.Errorf("a running campaign expires in %s", ttl)
			}
			wantNoCopies(t, all)
		}
	}
	empty := func(t *testing.T) *redis.Client { must(t, sound.FlushAll(t.Context()).Err()); return sound }
	create := func(t *testing.T, _ *redis.Client) error {
		err := all.Create(t.Context(), spec)
		return err
	}
	each(t, k, "campaign/create", empty, create, func(t *testing.T, rdb *redis.Client) {
		if err := create(t, rdb); err != nil && err.Error() != "create campaign 42: "+campaign.ErrExists.Error() {
			t.Fatal(err)
		}
		is(func(*testing.T, *redis.Client) error { return nil }, campaign.Running)(t, rdb)
	})
	each(t, k, "campaign/move", in(), to(campaign.Paused), is(to(campaign.Paused), campaign.Paused))
	each(t, k, "campaign/move", in(campaign.Paused), to(campaign.Running), is(to(campaign.Running), campaign.Running))
	each(t, k, "campaign/move", in(), to(campaign.Completed), is(to(campaign.Completed), campaign.Completed))
	each(t, k, "campaign/move", in(), to(campaign.Cancelled), is(to(campaign.Cancelled), campaign.Cancelled))
	each(t, k, "campaign/move", in(campaign.Completed), to(campaign.Running), is(to(campaign.Running), campaign.Running))
	scheduled := func(t *testing.T) *redis.Client {
		draft := spec
		draft.State, draft.StartAt = campaign.Draft, time.Now().Add(-time.Hour)
		must(t, sound.FlushAll(t.Context()).Err())
		must(t, all.Create(t.Context(), draft))
		return sound
	}
	begin := func(t *testing.T, _ *redis.Client) error { _, err := all.Adopt(t.Context(), "42"); return err }
	each(t, k, "campaign/begin", scheduled, begin, is(begin, campaign.Running))
	weight := 7
	change := func(t *testing.T, _ *redis.Client) error {
		return all.Change(t.Context(), "42", campaign.Change{Weight: &weight})
	}
	each(t, k, "campaign/change", in(), change, is(change, campaign.Running))
}

// wantNoCopies checks that no entry of the history stands there twice.
func wantNoCopies(t *testing.T, all *campaign.Campaigns) {
	t.Helper()
	entries, err := all.History(t.Context(), "42")
	must(t, err)
	for i, e := range entries {
		if i > 0 && e.What == entries[i-1].What {
			t.Errorf("the history has %q twice: %+v", e.What, entries)
		}
	}
}
