package dispatcher

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/leasekeeper"
	"fanfare/internal/redisx"
)

// An outage of Redis that is longer than the lease is no reason to forget outcomes.
func TestPersistOutlastsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := redisWriter{timeout: 5 * time.Second, log: slog.New(slog.DiscardHandler)}
		begun := time.Now()
		err := w.persist(t.Context(), "write", &activeCampaign{}, func(context.Context) error {
			if time.Since(begun) < time.Minute {
				return errDown
			}
			return nil
		})
		if err != nil || time.Since(begun) > 62*time.Second {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
	})
}

// A command that is denied, also in a script, is waited for: what the outcomes are is known to no
// one else.
func TestPersistOutlastsADenial(t *testing.T) {
	for _, text := range []string{
		"NOPERM User app has no permissions to run the 'evalsha' command",
		"ERR The user executing the script can't run this command or subcommand script: 2f4, on @user_script:1.",
		"ERR ACL failure in script: User app has no permissions to run the 'rpush' command script: 2f4, on @user_script:1.",
	} {
		synctest.Test(t, func(t *testing.T) {
			w := redisWriter{timeout: 5 * time.Second, log: slog.New(slog.DiscardHandler)}
			begun := time.Now()
			err := w.persist(t.Context(), "write", &activeCampaign{}, func(context.Context) error {
				if time.Since(begun) < time.Minute {
					return reply(text)
				}
				return nil
			})
			if err != nil {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
}

func TestPersistGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := redisWriter{timeout: 5 * time.Second, log: slog.New(slog.DiscardHandler)}
		work, end := context.WithCancel(t.Context())
		keep, stop := leasekeeper.WithGrace(work, 15*time.Second)
		defer stop()
		end()
		begun := time.Now()
		err := w.persist(keep, "write", &activeCampaign{}, func(context.Context) error { return errDown })
		if !errors.Is(err, errDown) || time.Since(begun) != 15*time.Second {
			t.Errorf("after %s: %v, want to give up 15 s after the work", time.Since(begun), err)
		}
		wrong := &redisx.TypeError{Key: "k", Holds: "string", Want: "list"}
		begun = time.Now()
		err = w.persist(t.Context(), "write", &activeCampaign{}, func(context.Context) error { return wrong })
		if !errors.Is(err, error(wrong)) || time.Since(begun) != 0 {
			t.Errorf("a key of the wrong type after %s: %v, want it at once", time.Since(begun), err)
		}
		err = w.persist(t.Context(), "write", &activeCampaign{}, func(context.Context) error { return errCrossSlot })
		if !errors.Is(err, errCrossSlot) || time.Since(begun) != 0 {
			t.Errorf("a reply that nothing mends after %s: %v, want it at once", time.Since(begun), err)
		}
	})
}

// While a write is repeated, its campaign is not claimed from.
func TestPersistHoldsClaimsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, camp, tries := redisWriter{timeout: 5 * time.Second, log: slog.New(slog.DiscardHandler)}, &activeCampaign{}, 0
		err := w.persist(t.Context(), "write", camp, func(context.Context) error {
			if tries++; camp.isBehind(DefaultOptions().AckBatch) != (tries > 1) {
				t.Errorf("try %d: behind is %v", tries, camp.isBehind(DefaultOptions().AckBatch))
			}
			if tries < 3 {
				return errDown
			}
			return nil
		})
		if err != nil || camp.isBehind(DefaultOptions().AckBatch) {
			t.Errorf("error %v, behind %v after it", err, camp.isBehind(DefaultOptions().AckBatch))
		}
	})
}
