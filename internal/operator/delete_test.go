package operator

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/queue"
)

// A deletion waits for the outcomes of pushes in flight; a late one is not lost with the
// campaign.
func TestDeleteWaitsForOutcomes(t *testing.T) {
	f := open(t)
	ctx := t.Context()
	f.create("42")
	f.load("42", audienceOf(5), LoadOptions{Format: audience.CSV})
	ok(t, f.Start(ctx, "42", StartOptions{}))
	q, err := f.deps.Campaigns.Queue("42")
	ok(t, err)
	lease, err := q.Claim(ctx, queue.NewID(), 2)
	ok(t, err)
	_, err = f.Delete(ctx, "42", DeleteOptions{})
	mentions(t, err, "is running")
	ok(t, f.deps.Campaigns.Move(ctx, "42", campaign.Paused, ""))

	waiting := func(b campaign.Books) {
		equal(t, "in flight", b.InFlight, 2)
		_, err := q.Settle(ctx, []queue.Settlement{
			{Claim: lease.Claim, Pos: 1, Status: "sent", Emit: []byte("one")}, {Claim: lease.Claim, Pos: 2, Status: "sent", Emit: []byte("two")},
		})
		ok(t, err)
	}
	deleted, err := f.Delete(ctx, "42", DeleteOptions{Wait: time.Hour, Waiting: waiting})
	ok(t, err)
	equal(t, "deleted", deleted, Deletion{Unsent: 3})
	equal(t, "results", f.rdb.LLen(ctx, "notification:responses").Val(), 2)
	equal(t, "keys", f.rdb.Exists(ctx, "campaign:42", "{campaign:42}:counts", "{campaign:42}:leases").Val(), 0)
}

// Recipients without an outcome when the time is up are counted. A deletion does not wait for a
// dead sender, or for results in the outbox.
func TestDeleteCountsWhoHasNoResult(t *testing.T) {
	f := open(t)
	ctx := t.Context()
	f.create("42")
	f.load("42", audienceOf(5), LoadOptions{Format: audience.CSV})
	ok(t, f.Start(ctx, "42", StartOptions{}))
	q, err := f.deps.Campaigns.Queue("42")
	ok(t, err)
	for _, n := range []int{2, 1} {
		_, err = q.Claim(ctx, queue.NewID(), n)
		ok(t, err)
	}
	ok(t, f.rdb.RPush(ctx, "{campaign:42}:outbox", `{"campaignId":"42"}`).Err())
	ok(t, f.deps.Campaigns.Move(ctx, "42", campaign.Cancelled, ""))
	told := 0
	deleted, err := f.Delete(ctx, "42", DeleteOptions{Wait: 2 * deletePoll, Waiting: func(campaign.Books) { told++ }})
	ok(t, err)
	equal(t, "deleted", deleted, Deletion{WithoutResult: 3, Unsent: 2})
	equal(t, "told", told, 1)
	equal(t, "results", f.rdb.LLen(ctx, "notification:responses").Val(), 1)

	// A key of another type does not prevent it.
	f.create("43")
	ok(t, f.rdb.Set(ctx, "campaign:43", "no list", 0).Err())
	_, err = f.Delete(ctx, "43", DeleteOptions{Wait: time.Hour})
	ok(t, err)
	equal(t, "keys", f.rdb.Exists(ctx, "campaign:43", "{campaign:43}:spec").Val(), 0)
}

// Results that cannot be forwarded are waited for, and counted. So are recipients that wait for a
// retry.
func TestDeleteWaitsForResults(t *testing.T) {
	f := open(t)
	f.create("42")
	ok(t, f.rdb.RPush(t.Context(), "campaign:42", `{"userId":"u1"}`, `{"userId":"u2"}`).Err())
	ok(t, f.rdb.ZAdd(t.Context(), "{campaign:42}:retry", redisZ(time.Now().Add(time.Hour), `c:1 1 0 0 {"userId":"u3"}`)).Err())
	ok(t, f.rdb.RPush(t.Context(), "{campaign:42}:outbox", "result").Err())
	ok(t, f.rdb.Set(t.Context(), "notification:responses", "x", 0).Err())
	if view := f.show("42"); view.Undelivered == nil {
		t.Error("nothing says why results wait")
	}
	asked, began := 0, time.Now()
	f.now = func() time.Time { asked++; return began.Add(time.Duration(asked) * time.Minute) }
	told := 0
	deleted, err := f.Delete(t.Context(), "42", DeleteOptions{Wait: 90 * time.Second, Waiting: func(b campaign.Books) { told += int(b.Outbox) }})
	ok(t, err)
	equal(t, "told", told, 1)
	equal(t, "deleted", deleted, Deletion{Unforwarded: 1, Unsent: 3})
}

// The clock of Redis has gone back: the books say how long retries wait, and why.
func TestBooksTellThatTheClockWentBack(t *testing.T) {
	f := open(t)
	ctx := t.Context()
	f.create("42")
	now := time.Now()
	later := now.Add(30 * time.Minute)
	ok(t, f.rdb.ZAdd(ctx, "{campaign:42}:retry", redisZ(later, "c:1 1 0 "+ms(later.Add(-10*time.Second))+` {"userId":"u1"}`)).Err())
	b := f.show("42").Books
	if off := b.UntilRetry() - 30*time.Minute; off.Abs() > time.Minute {
		t.Errorf("retries wait %s, want half an hour", b.UntilRetry())
	}
	if off := b.ClockBack - 30*time.Minute; off.Abs() > time.Minute {
		t.Errorf("the clock has gone back %s, want half an hour", b.ClockBack)
	}
	text, err := json.Marshal(b)
	ok(t, err)
	mentionsText(t, string(text), `"nextRetry":"`, `"clockBackSeconds":17`)

	ok(t, f.rdb.Del(ctx, "{campaign:42}:retry").Err())
	ok(t, f.rdb.ZAdd(ctx, "{campaign:42}:retry", redisZ(later, "c:1 1 0 "+ms(now.Add(-time.Minute))+` {"userId":"u1"}`)).Err())
	equal(t, "back, when FCM asked for half an hour", f.show("42").Books.ClockBack, 0)
}

func ms(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }

func redisZ(at time.Time, member string) redis.Z {
	return redis.Z{Score: float64(at.UnixMilli()), Member: member}
}

func mentionsText(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s does not say %q", text, part)
		}
	}
}
