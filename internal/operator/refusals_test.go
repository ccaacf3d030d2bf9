package operator

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/responses"
	"fanfare/internal/schedule"
	"fanfare/internal/tokens"
	"fanfare/test/refusals"
)

// forwarding are the commands with which a deletion forwards results. What they cannot forward, the
// deletion counts.
var forwarding = []string{"set", "get", "llen", "lrange", "del"}

// TestRefusalsAreReported refuses each Redis command of what an operator does and reads. None of it
// may say that all is well. TYPE only words a warning, and EXISTS only saves reads.
func TestRefusalsAreReported(t *testing.T) {
	t.Parallel()
	sound, refusing, r := refusals.Open(t)
	weight := 5
	for name, call := range map[string]func(ctx context.Context, f fixture) error{
		"backlog": func(ctx context.Context, f fixture) error { _, err := f.Backlog(ctx); return err },
		"pause":   func(ctx context.Context, f fixture) error { return f.Pause(ctx, "42", "because") },
		"cancel":  func(ctx context.Context, f fixture) error { return f.Cancel(ctx, "42", "because") },
		"create": func(ctx context.Context, f fixture) error {
			return f.Create(ctx, campaign.Spec{ID: "43", Message: []byte(plainMessage)})
		},
		"change": func(ctx context.Context, f fixture) error {
			return f.Change(ctx, "42", campaign.Change{Weight: &weight})
		},
		"change the times": func(ctx context.Context, f fixture) error {
			windows, err := schedule.ParseWindows("09:00-21:00")
			ok(f.T, err)
			return f.Change(ctx, "42", campaign.Change{Windows: &windows})
		},
		"replay": func(ctx context.Context, f fixture) error {
			_, err := f.Replay(ctx, responses.Filter{}, ReplayOptions{})
			return err
		},
		"would replay": func(ctx context.Context, f fixture) error {
			_, err := f.WouldReplay(ctx, responses.Filter{})
			return err
		},
		"delete": func(ctx context.Context, f fixture) error {
			_, err := f.Delete(ctx, "draft", DeleteOptions{})
			return err
		},
		"processes": func(ctx context.Context, f fixture) error { _, err := f.Processes(ctx); return err },
		"history":   func(ctx context.Context, f fixture) error { _, err := f.History(ctx, "42"); return err },
		"start":     func(ctx context.Context, f fixture) error { return f.Start(ctx, "draft", StartOptions{}) },
		"resume":    func(ctx context.Context, f fixture) error { return f.Start(ctx, "42", StartOptions{}) },
		"load": func(ctx context.Context, f fixture) error {
			return loadReporting(ctx, f, "new", LoadOptions{})
		},
		"append": func(ctx context.Context, f fixture) error {
			return loadReporting(ctx, f, "draft", LoadOptions{Append: true})
		},
		"show": func(ctx context.Context, f fixture) error {
			v, err := f.Show(ctx, "42")
			return errors.Join(err, v.Err)
		},
		"list": func(ctx context.Context, f fixture) error {
			views, err := f.List(ctx)
			for _, v := range views {
				err = errors.Join(err, v.Err)
			}
			return err
		},
		"pause a platform": func(ctx context.Context, f fixture) error {
			return f.PausePlatform(ctx, "running", "ios", "because")
		},
		"suppress": func(ctx context.Context, f fixture) error {
			_, err := f.ImportSuppressed(ctx, strings.NewReader("a\nb\n"), nil)
			return err
		},
		"import tokens": func(ctx context.Context, f fixture) error {
			_, err := f.ImportTokens(ctx, strings.NewReader("userId,fcmToken\na,tok-a\n"), ImportOptions{})
			return err
		},
		"restore": func(ctx context.Context, f fixture) error {
			_, err := f.RestoreTokens(ctx, tokens.Filter{}, tokens.RestoreOptions{})
			return err
		},
		"removed": func(ctx context.Context, f fixture) error {
			_, err := f.RemovedTokens(ctx, tokens.Filter{}, 5)
			return err
		},
		"preview": func(ctx context.Context, f fixture) error { _, err := f.Preview(ctx, "42", "a"); return err },
		"test send": func(ctx context.Context, f fixture) error {
			_, err := f.SendTest(ctx, TestSend{Campaign: "42", User: "a", Sender: &testFCM{}})
			return err
		},
		"schedule": func(ctx context.Context, f fixture) error {
			start := time.Now().Add(time.Hour)
			return f.CheckSchedule(ctx, "draft", campaign.Change{StartAt: &start}, nil)
		},
		"local time": func(ctx context.Context, f fixture) error {
			_, err := f.ReadLocalTime(ctx, "draft", "18:00", nil)
			return err
		},
		"refuse a start": func(ctx context.Context, f fixture) error { _, err := f.RefuseStart(ctx, "draft", nil); return err },
		"note":           func(ctx context.Context, f fixture) error { return f.NotePurge(ctx, "42", "all", 3) },
	} {
		t.Run(name, func(t *testing.T) {
			spared := []string{"type", "exists"}
			if name == "delete" {
				spared = append(spared, forwarding...)
			}
			f := fixture{T: t, Operator: operatorOn(t, refusing), rdb: sound}
			r.Each(t, func(t *testing.T) {
				f.Operator = operatorOn(t, refusing)
				f.T = t
				f.fill()
			}, func(t *testing.T) error { return call(t.Context(), f) }, spared...)
		})
	}
}

// loadReporting loads two users. A warning that something is unknown counts as an error.
func loadReporting(ctx context.Context, f fixture, id string, opts LoadOptions) error {
	summary, err := f.Load(ctx, id, strings.NewReader("userId\na\nb\n"), opts)
	if err == nil && summary.Warning != "" {
		return errors.New(summary.Warning)
	}
	return err
}

// fill makes a paused campaign with an audience, a draft, a dead letter and a removed token.
func (f fixture) fill() {
	f.Helper()
	ok(f.T, f.rdb.FlushAll(f.Context()).Err())
	f.create("42", campaign.Running, campaign.Paused)
	f.create("draft")
	f.create("running", campaign.Running)
	for _, id := range []string{"42", "draft"} {
		ok(f.T, f.rdb.RPush(f.Context(), "campaign:"+id, `{"userId":"a"}`, `{"userId":"b"}`).Err())
	}
	f.bury(failed("42", "c", "UNAVAILABLE"))
	ok(f.T, f.rdb.MSet(f.Context(), "user:a:token", "tok-1", "user:gone:token", "tok-2").Err())
	_, err := f.deps.Tokens.Forget(f.Context(), "gone", notification.ParseToken("tok-2"), "42")
	ok(f.T, err)
	ok(f.T, f.rdb.ZAdd(f.Context(), "{campaign:42}:leases", redis.Z{Score: float64(time.Now().Add(-time.Hour).UnixMilli()), Member: "old"}).Err())
}
