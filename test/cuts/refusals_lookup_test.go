package cuts

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/caps"
	"fanfare/internal/dedupe"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
	"fanfare/internal/responses"
	"fanfare/internal/suppression"
	"fanfare/internal/tokens"
	"fanfare/test/refusals"
)

// stored is what the calls about tokens find.
func stored(t *testing.T, rdb *redis.Client) {
	t.Helper()
	must(t, rdb.FlushAll(t.Context()).Err())
	must(t, rdb.MSet(t.Context(), "user:7:token", "dead", "user:8:token", "alive").Err())
	must(t, rdb.HSet(t.Context(), "user:7:devices", "other", `{"kind":"token"}`, "another", `{"kind":"token"}`).Err())
}

// TestTokensReportRefusals refuses every command of every call about tokens. A dead token whose
// removal failed unseen would be sent to again. EXISTS only saves reads, and TYPE is for a warning.
func TestTokensReportRefusals(t *testing.T) {
	t.Parallel()
	sound, refusing, r := refusals.Open(t)
	dead, filter := notification.ParseToken("dead"), tokens.Filter{Users: []string{"7"}}
	for name, call := range map[string]func(ctx context.Context, s *tokens.Store) error{
		"forget":  func(ctx context.Context, s *tokens.Store) error { _, err := s.Forget(ctx, "7", dead, "42"); return err },
		"another": func(ctx context.Context, s *tokens.Store) error { _, err := s.FindAnother(ctx, "7", dead); return err },
		"restore": func(ctx context.Context, s *tokens.Store) error {
			_, err := s.Restore(ctx, filter, tokens.RestoreOptions{})
			return err
		},
		"removed": func(ctx context.Context, s *tokens.Store) error {
			return s.VisitRemoved(ctx, filter, func([]tokens.RemovedToken) error { return nil })
		},
		"all removed": func(ctx context.Context, s *tokens.Store) error {
			return s.VisitRemoved(ctx, tokens.Filter{}, func([]tokens.RemovedToken) error { return nil })
		},
		"lookup": func(ctx context.Context, s *tokens.Store) error {
			_, err := s.Lookup(ctx, []string{"7", "8", "9"})
			return err
		},
		"get": func(ctx context.Context, s *tokens.Store) error { _, err := s.Get(ctx, "7"); return err },
		"peek": func(ctx context.Context, s *tokens.Store) error {
			_, err := s.Peek(ctx, []string{"7", "8"})
			return err
		},
		"set": func(ctx context.Context, s *tokens.Store) error {
			return s.Set(ctx, "7", notification.ParseToken("new"))
		},
		"remove":     func(ctx context.Context, s *tokens.Store) error { _, err := s.Remove(ctx, "7"); return err },
		"remove all": func(ctx context.Context, s *tokens.Store) error { _, err := s.RemoveAll(ctx, "7"); return err },
		"remove one": func(ctx context.Context, s *tokens.Store) error {
			_, err := s.RemoveAddress(ctx, "7", notification.ParseToken("other"))
			return err
		},
		"count":   func(ctx context.Context, s *tokens.Store) error { _, err := s.CountDevices(ctx, "7"); return err },
		"get all": func(ctx context.Context, s *tokens.Store) error { _, err := s.GetAll(ctx, "7"); return err },
		"set device": func(ctx context.Context, s *tokens.Store) error {
			return s.SetDevice(ctx, "7", notification.Device{Target: notification.ParseToken("tablet")})
		},
		"import": func(ctx context.Context, s *tokens.Store) error {
			_, err := s.Import(ctx, func(yield func(string, notification.Device) bool) {
				_ = yield("7", notification.Device{Target: notification.ParseToken("new")}) &&
					yield("9", notification.Device{Target: notification.ParseToken("tablet"), Platform: "ios"})
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := tokens.New(refusing, keys.Default(), nil, tokens.Options{KeepTTL: time.Hour})
			must(t, err)
			r.Each(t, func(t *testing.T) {
				stored(t, sound)
				if name == "restore" || name == "removed" || name == "all removed" {
					_, err := store.Forget(t.Context(), "7", dead, "42")
					must(t, err)
				}
			}, func(t *testing.T) error { return call(t.Context(), store) }, "exists", "type")
		})
	}
}

// TestLookupsReportRefusals refuses every command of what a dispatcher asks before it sends. TYPE
// is for a warning.
func TestLookupsReportRefusals(t *testing.T) {
	t.Parallel()
	sound, refusing, r := refusals.Open(t)
	names, list := keys.Default(), keys.NewList("campaign:42")
	users := []string{"7", "8"}
	limiter := caps.New(refusing, names, []caps.Cap{{Count: 1, Window: time.Hour}})
	reserved := []caps.Element{{User: "7", Campaign: "42", ID: "e1"}, {User: "8", Campaign: "42", ID: "e2"}}
	suppressed := suppression.New(refusing, names, nil)
	cache, err := profiles.New(refusing, names, nil, profiles.Options{})
	must(t, err)
	record := dedupe.New(refusing, list, func(context.Context) (int64, error) { return 1000, nil })
	addresses := []dedupe.Address{{Element: "e1", Claim: "c", Text: "phone"}, {Element: "e2", Claim: "c", Text: "tablet"}}
	brakes, err := breaker.New(refusing, breaker.DefaultOptions())
	must(t, err)
	for name, call := range map[string]func(ctx context.Context) error{
		"reserve":             func(ctx context.Context) error { _, err := limiter.Reserve(ctx, reserved); return err },
		"release caps":        func(ctx context.Context) error { return limiter.Release(ctx, reserved) },
		"find caps":           func(ctx context.Context) error { _, err := limiter.Find(ctx, users); return err },
		"suppressed":          func(ctx context.Context) error { _, err := suppressed.Find(ctx, users); return err },
		"suppress":            func(ctx context.Context) error { _, err := suppressed.Add(ctx, users...); return err },
		"unsuppress":          func(ctx context.Context) error { _, err := suppressed.Remove(ctx, users...); return err },
		"count suppressed":    func(ctx context.Context) error { _, err := suppressed.Count(ctx); return err },
		"all suppressed":      func(ctx context.Context) error { return errorOf(suppressed.All(ctx)) },
		"profiles":            func(ctx context.Context) error { _, err := cache.Lookup(ctx, users); return err },
		"profiles for a look": func(ctx context.Context) error { _, err := cache.Peek(ctx, users); return err },
		"import profiles": func(ctx context.Context) error {
			_, err := cache.Import(ctx, []profiles.User{{ID: "7", Profile: profiles.Profile{}}})
			return err
		},
		"take addresses":    func(ctx context.Context) error { _, err := record.Take(ctx, addresses); return err },
		"release addresses": func(ctx context.Context) error { return record.Release(ctx, addresses) },
		"delete addresses":  func(ctx context.Context) error { return dedupe.Delete(ctx, refusing, list) },
		"retain addresses":  func(ctx context.Context) error { return dedupe.Retain(ctx, refusing, list, time.Hour) },
		"admit":             func(ctx context.Context) error { _, err := brakes.Admit(ctx, list, "c", 3); return err },
		"extend a canary":   func(ctx context.Context) error { return brakes.Extend(ctx, list, "c") },
		"reset breakers":    func(ctx context.Context) error { return brakes.Reset(ctx, list) },
		"pause a platform":  func(ctx context.Context) error { return brakes.PausePlatform(ctx, list, "ios", "because") },
		"report":            func(ctx context.Context) error { _, err := brakes.Apply(ctx, list, breaker.Report{}); return err },
		"release breakers":  func(ctx context.Context) error { _, err := brakes.Release(ctx, list); return err },
		"breakers":          func(ctx context.Context) error { _, err := brakes.State(ctx, list); return err },
	} {
		t.Run(name, func(t *testing.T) {
			r.Each(t, func(t *testing.T) {
				must(t, sound.FlushAll(t.Context()).Err())
				must(t, sound.HSet(t.Context(), list.Key(keys.SuffixSpec), "state", "running").Err())
				must(t, sound.ZAdd(t.Context(), list.Key(keys.SuffixLeases), redis.Z{Score: 1, Member: "c"}).Err())
			}, func(t *testing.T) error { return call(t.Context()) }, "type")
		})
	}
}

// TestDeletionBudgetReportsRefusals refuses every command of the deletion budget. It remembers a
// failure, so each call has a budget of its own.
func TestDeletionBudgetReportsRefusals(t *testing.T) {
	t.Parallel()
	sound, refusing, r := refusals.Open(t)
	for name, call := range map[string]func(ctx context.Context, d *breaker.Deletions) error{
		"take":  func(ctx context.Context, d *breaker.Deletions) error { _, err := d.Take(ctx); return err },
		"state": func(ctx context.Context, d *breaker.Deletions) error { _, err := d.State(ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var d *breaker.Deletions
			r.Each(t, func(t *testing.T) {
				must(t, sound.FlushAll(t.Context()).Err())
				var err error
				d, err = breaker.NewDeletions(refusing, keys.Default().Project("p"), breaker.DeletionsOptions{Logger: slog.New(slog.DiscardHandler)})
				must(t, err)
			}, func(t *testing.T) error { return call(t.Context(), d) })
		})
	}
}

// errorOf returns the first error of a sequence.
func errorOf[V any](all func(yield func(V, error) bool)) error {
	for _, err := range all {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestDeadLettersReportRefusals refuses every command of what works with dead letters and outboxes.
func TestDeadLettersReportRefusals(t *testing.T) {
	t.Parallel()
	sound, refusing, r := refusals.Open(t)
	const destination = "campaign:42"
	for name, call := range map[string]func(ctx context.Context, p *pile) error{
		"list":  func(ctx context.Context, p *pile) error { return errorOf(p.dead.List(ctx, responses.Filter{})) },
		"len":   func(ctx context.Context, p *pile) error { _, err := p.dead.Len(ctx); return err },
		"count": func(ctx context.Context, p *pile) error { _, err := p.dead.Count(ctx, responses.Filter{}); return err },
		"get":   func(ctx context.Context, p *pile) error { _, err := p.dead.Get(ctx, p.all[0]); return err },
		"purge": func(ctx context.Context, p *pile) error { _, err := p.dead.Purge(ctx, responses.Filter{}); return err },
		"trim":  func(ctx context.Context, p *pile) error { _, err := p.dead.Trim(ctx); return err },
	} {
		t.Run(name, func(t *testing.T) {
			var p *pile
			r.Each(t, func(t *testing.T) { p = newPile(t, sound, refusing, 3) }, func(t *testing.T) error { return call(t.Context(), p) })
		})
	}
	t.Run("take", func(t *testing.T) {
		var p *pile
		var first responses.DeadLetter
		r.Each(t, func(t *testing.T) {
			p = newPile(t, sound, refusing, 3)
			first = p.letters()[0]
		}, func(t *testing.T) error { _, err := p.dead.Take(t.Context(), destination, first); return err })
	})
	for name, call := range map[string]func(ctx context.Context, p *pile, b responses.Batch) error{
		"replayed": func(ctx context.Context, p *pile, b responses.Batch) error { return p.dead.MarkReplayed(ctx, b) },
		"put back": func(ctx context.Context, p *pile, b responses.Batch) error { return p.dead.PutBack(ctx, b) },
		"resolve":  func(ctx context.Context, p *pile, b responses.Batch) error { return p.dead.Resolve(ctx, b) },
	} {
		t.Run(name, func(t *testing.T) {
			var p *pile
			var b responses.Batch
			r.Each(t, func(t *testing.T) {
				p = newPile(t, sound, refusing, 3)
				var err error
				b, err = p.dead.Take(t.Context(), destination, p.letters()[0])
				must(t, err)
			}, func(t *testing.T) error { return call(t.Context(), p, b) })
		})
	}
	t.Run("forward", func(t *testing.T) {
		outbox, err := responses.NewOutbox(refusing, keys.Default(), responses.OutboxOptions{})
		must(t, err)
		campaignList := keys.NewList("campaign:42")
		r.Each(t, func(t *testing.T) {
			must(t, sound.FlushAll(t.Context()).Err())
			must(t, sound.RPush(t.Context(), campaignList.Key(keys.SuffixOutbox), fmt.Sprintf("%s result", "r1")).Err())
		}, func(t *testing.T) error { _, err := outbox.Forward(t.Context(), campaignList); return err })
	})
}
