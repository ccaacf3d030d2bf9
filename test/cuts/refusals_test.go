package cuts

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/test/refusals"
)

// TestCampaignsReportRefusals refuses every command of every call about a campaign. An error that
// is swallowed here becomes a campaign that looks well and is not.
func TestCampaignsReportRefusals(t *testing.T) {
	t.Parallel()
	sound, refusing, r := refusals.Open(t)
	for name, k := range keepers {
		if k.script == "campaign/refuse" { // the next look notes what this one could not
			continue
		}
		t.Run(name, func(t *testing.T) {
			var w *room
			r.Each(t, func(t *testing.T) {
				w = newRoom(t, sound, refusing)
				k.prepare(w)
			}, func(*testing.T) error { return k.call(w) })
		})
	}
	t.Run("start on schedule", func(t *testing.T) {
		var w *room
		r.Each(t, func(t *testing.T) {
			w = newRoom(t, sound, refusing)
			w.must(w.sound.Create(t.Context(), campaign.Spec{
				ID: "42", Message: []byte(`{"notification":{"title":"Hello"}}`), State: campaign.Draft, StartAt: time.Now().Add(-time.Hour),
			}))
			w.push(0, `{"userId":"a"}`)
		}, func(t *testing.T) error {
			found, err := w.cutting.Discover(t.Context())
			for _, problem := range slices.Concat(found.Late, found.Broken) {
				err = errors.Join(err, problem.Err)
			}
			return err
		})
	})
	weight, spec := 7, campaign.Spec{ID: "43", Message: []byte(`{"notification":{"title":"Hello"}}`), State: campaign.Draft}
	for name, call := range map[string]func(ctx context.Context, c *campaign.Campaigns) error{
		"create": func(ctx context.Context, c *campaign.Campaigns) error { return c.Create(ctx, spec) },
		"get":    func(ctx context.Context, c *campaign.Campaigns) error { _, err := c.Get(ctx, "42"); return err },
		"books":  func(ctx context.Context, c *campaign.Campaigns) error { _, err := c.Books(ctx, "42"); return err },
		"change": func(ctx context.Context, c *campaign.Campaigns) error {
			return c.Change(ctx, "42", campaign.Change{Weight: &weight})
		},
		"pause":   func(ctx context.Context, c *campaign.Campaigns) error { return c.Move(ctx, "42", campaign.Paused, "") },
		"history": func(ctx context.Context, c *campaign.Campaigns) error { _, err := c.History(ctx, "42"); return err },
		"visit histories": func(ctx context.Context, c *campaign.Campaigns) error {
			return c.VisitNewHistory(ctx, map[string]string{}, func(string, []notification.HistoryEntry) error { return nil })
		},
		"discover": func(ctx context.Context, c *campaign.Campaigns) error {
			found, err := c.Discover(ctx)
			for _, problem := range found.Broken {
				err = errors.Join(err, problem.Err)
			}
			return err
		},
		"list": func(ctx context.Context, c *campaign.Campaigns) error {
			all, err := c.List(ctx)
			for _, s := range all {
				err = errors.Join(err, s.Err)
			}
			return err
		},
		"projects": func(ctx context.Context, c *campaign.Campaigns) error { _, err := c.Projects(ctx); return err },
		"forget a project": func(ctx context.Context, c *campaign.Campaigns) error {
			return c.ForgetProject(ctx, "q")
		},
		"sample": func(ctx context.Context, c *campaign.Campaigns) error { _, err := c.Sample(ctx, "42", 3); return err },
		"sample zones": func(ctx context.Context, c *campaign.Campaigns) error {
			_, err := c.SampleZones(ctx, "42", 3)
			return err
		},
		"sample due zones": func(ctx context.Context, c *campaign.Campaigns) error {
			_, err := c.SampleDueZones(ctx, "42", 3)
			return err
		},
		"load": func(ctx context.Context, c *campaign.Campaigns) error {
			l, err := c.Load(ctx, "42", true)
			if err != nil {
				return err
			}
			return errors.Join(l.Append(ctx, batchOf("c", "d")), l.Close(ctx))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var w *room
			r.Each(t, func(t *testing.T) {
				w = newRoom(t, sound, refusing)
				w.create()
				w.push(0, `{"userId":"a"}`, `{"userId":"b"}`)
				w.must(w.rdb.ZAdd(t.Context(), keys.Default().Projects(), redis.Z{Score: 1, Member: "q"}).Err())
			}, func(t *testing.T) error { return call(t.Context(), w.cutting) })
		})
	}
}

// TestQueueReportsRefusals refuses every command of every call of a queue.
func TestQueueReportsRefusals(t *testing.T) {
	t.Parallel()
	sound, refusing, r := refusals.Open(t)
	for name, call := range map[string]func(ctx context.Context, q *queue.Queue) error{
		"append": func(ctx context.Context, q *queue.Queue) error {
			_, err := q.Append(ctx, queue.Batch{Load: "l", Elements: batchOf("x"), TTL: time.Hour})
			return err
		},
		"claim":  func(ctx context.Context, q *queue.Queue) error { _, err := q.Claim(ctx, "c2", 2); return err },
		"count":  func(ctx context.Context, q *queue.Queue) error { _, err := q.Count(ctx); return err },
		"first":  func(ctx context.Context, q *queue.Queue) error { _, err := q.First(ctx); return err },
		"extend": func(ctx context.Context, q *queue.Queue) error { _, err := q.Extend(ctx, "c1"); return err },
		"reap":   func(ctx context.Context, q *queue.Queue) error { _, err := q.Reap(ctx); return err },
		"return": func(ctx context.Context, q *queue.Queue) error { _, err := q.GiveBack(ctx, "c1"); return err },
		"settle": func(ctx context.Context, q *queue.Queue) error { return settle(ctx, q, 1) },
		"forward": func(ctx context.Context, q *queue.Queue) error {
			return errors.Join(settle(ctx, q, 1), settle(ctx, q, 2))
		},
		"progress": func(ctx context.Context, q *queue.Queue) error {
			_, err := q.SaveProgress(ctx, []queue.Progress{{Claim: "c1", Pos: 2, Attempts: 1, State: "s"}})
			return err
		},
		"due": func(ctx context.Context, q *queue.Queue) error {
			_, err := q.CountDue(ctx, time.Now(), time.Minute, 3)
			return err
		},
		"retries": func(ctx context.Context, q *queue.Queue) error {
			_, err := q.SampleRetries(ctx, 10, func([]byte, time.Time) {})
			return err
		},
		"make due": func(ctx context.Context, q *queue.Queue) error {
			_, err := q.MakeDue(ctx, 0, func([]byte) bool { return true })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			var a *audience
			r.Each(t, func(t *testing.T) {
				must(t, sound.FlushAll(t.Context()).Err())
				a = newAudience(t, sound, refusing, "42", 6)
				_, err := a.queue.Claim(t.Context(), "c1", 4)
				must(t, err)
				_, err = a.queue.Settle(t.Context(), []queue.Settlement{{Claim: "c1", Pos: 0, Later: true, Delay: time.Hour, Attempts: 1}})
				must(t, err)
			}, func(t *testing.T) error { return call(t.Context(), a.queue) })
		})
	}
}

func settle(ctx context.Context, q *queue.Queue, pos int) error {
	_, err := q.Settle(ctx, []queue.Settlement{{Claim: "c1", Pos: pos, Status: "sent", Emit: []byte("r")}})
	return err
}
