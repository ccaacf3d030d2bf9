package cuts

import (
	"context"
	"slices"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/dedupe"
	"fanfare/internal/keys"
)

// TestDedupe cuts what takes addresses and gives them up. An element that repeats its call owns its
// addresses, and no other element owns one of them.
func TestDedupe(t *testing.T) {
	sound, cutting, k := open(t)
	list := keys.NewList("campaign:42")
	recordOf := func(rdb *redis.Client) *dedupe.Record {
		return dedupe.New(rdb, list, func(context.Context) (int64, error) { return 1000, nil })
	}
	ours := []dedupe.Address{{Element: "e1", Claim: "c", Text: "phone"}, {Element: "e2", Claim: "c", Text: "tablet"}}
	theirs := []dedupe.Address{{Element: "e3", Text: "phone"}, {Element: "e3", Text: "tablet"}}
	take := func(t *testing.T, r *dedupe.Record, some []dedupe.Address, want bool) {
		t.Helper()
		owned, err := r.Take(t.Context(), some)
		must(t, err)
		if slices.Contains(owned, !want) {
			t.Errorf("owned %v, want %t for all", owned, want)
		}
	}
	fresh := func(t *testing.T) *dedupe.Record {
		must(t, sound.FlushAll(t.Context()).Err())
		must(t, sound.HSet(t.Context(), list.Key(keys.SuffixSpec), "state", "running").Err())
		must(t, sound.ZAdd(t.Context(), list.Key(keys.SuffixLeases), redis.Z{Score: 1, Member: "c"}).Err())
		return recordOf(cutting)
	}
	for _, script := range []string{"dedupe/levels", "dedupe/take"} {
		each(t, k, script, fresh, func(t *testing.T, r *dedupe.Record) error {
			_, err := r.Take(t.Context(), ours)
			return err
		}, func(t *testing.T, r *dedupe.Record) {
			take(t, r, ours, true)
			take(t, recordOf(sound), theirs, false)
			take(t, r, ours, true)
		})
	}
	each(t, k, "dedupe/release", func(t *testing.T) *dedupe.Record {
		r := fresh(t)
		take(t, r, ours, true)
		return r
	}, func(t *testing.T, r *dedupe.Record) error {
		return r.Release(t.Context(), ours)
	}, func(t *testing.T, r *dedupe.Record) {
		must(t, r.Release(t.Context(), ours))
		take(t, recordOf(sound), theirs, true)
		take(t, r, ours, false)
	})
}
