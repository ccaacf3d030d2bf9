package cuts

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/caps"
	"fanfare/internal/keys"
)

// TestCaps cuts what reserves for users and releases. A repeated call counts once, and no user is
// forgotten, although the buckets are split meanwhile.
func TestCaps(t *testing.T) {
	sound, cutting, k := open(t)
	limiterOf := func(rdb *redis.Client) *caps.Limiter {
		return caps.New(rdb, keys.Default(), []caps.Cap{{Count: 1, Window: 24 * time.Hour}})
	}
	elements := func(campaign string, n int) (all []caps.Element) {
		for i := range n {
			all = append(all, caps.Element{User: fmt.Sprintf("u%d", i), Campaign: campaign, ID: fmt.Sprintf("e%d", i)})
		}
		return all
	}
	refusals := func(t *testing.T, l *caps.Limiter, campaign string, n, want int) {
		t.Helper()
		refused, err := l.Reserve(t.Context(), elements(campaign, n))
		must(t, err)
		capped := 0
		for _, r := range refused {
			if r.Capped {
				capped++
			}
		}
		if capped != want {
			t.Errorf("campaign %s: %d of %d users are capped, want %d", campaign, capped, n, want)
		}
	}
	const before, users = 90, 110
	fresh := func(t *testing.T) *caps.Limiter {
		must(t, sound.FlushAll(t.Context()).Err())
		refusals(t, limiterOf(sound), "ours", before, 0)
		return limiterOf(cutting)
	}
	each(t, k, "caps/reserve", fresh, func(t *testing.T, l *caps.Limiter) error {
		_, err := l.Reserve(t.Context(), elements("ours", users))
		return err
	}, func(t *testing.T, l *caps.Limiter) {
		refusals(t, limiterOf(sound), "theirs", before, before)
		refusals(t, l, "ours", users, 0)
		refusals(t, limiterOf(sound), "theirs", users, users)
	})
	each(t, k, "caps/release", fresh, func(t *testing.T, l *caps.Limiter) error {
		return l.Release(t.Context(), elements("ours", before))
	}, func(t *testing.T, l *caps.Limiter) {
		must(t, l.Release(t.Context(), elements("ours", before)))
		refusals(t, limiterOf(sound), "theirs", before, 0)
	})
	each(t, k, "caps/find", fresh, func(t *testing.T, l *caps.Limiter) error {
		_, err := l.Find(t.Context(), []string{"u1", "u2"})
		return err
	}, func(*testing.T, *caps.Limiter) {})
}
