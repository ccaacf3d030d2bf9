package operator

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/responses"
)

// Of several concurrent replays, beside a purge and a responder that trims, one sends each
// letter.
func TestReplaysShareTheLetters(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	const letters, purged = 1000, 100
	users := make([]string, letters)
	for i := range users {
		users[i] = fmt.Sprint("u", i)
		f.bury(failed("42", users[i], "INTERNAL"))
		if i < purged {
			f.bury(failed("other", users[i], "INTERNAL"))
		}
	}
	f.reach(users...)

	var work sync.WaitGroup
	var mu sync.Mutex
	var replayed int64
	for range 4 {
		other := operatorOn(t, redis.NewClient(f.rdb.(*redis.Client).Options()))
		t.Cleanup(func() { _ = other.deps.Redis.Close() })
		work.Go(func() {
			summary, err := other.Replay(t.Context(), responses.Filter{Campaign: "42"}, ReplayOptions{})
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			replayed += summary.Replayed
		})
	}
	work.Go(func() {
		if _, err := f.deps.DeadLetters.Purge(t.Context(), responses.Filter{Campaign: "other"}); err != nil {
			t.Error(err)
		}
	})
	work.Go(func() {
		if n, err := f.deps.DeadLetters.Trim(t.Context()); n != 0 || err != nil {
			t.Errorf("trimmed %d, error %v", n, err)
		}
	})
	work.Wait()

	listed := f.list("campaign:42")
	equal(t, "listed", len(listed), letters)
	slices.Sort(listed)
	equal(t, "listed different", len(slices.Compact(listed)), letters)
	equal(t, "replayed", replayed, letters)
	// A purge that reads while letters leave may read some twice, but misses none. What one call
	// leaves, the next removes.
	_, err := f.deps.DeadLetters.Purge(t.Context(), responses.Filter{Campaign: "other"})
	ok(t, err)
	equal(t, "left", f.letters(), "[]")
}

// dies stops a replay in the middle of a batch: its lease runs out.
func (f fixture) dies() {
	f.Helper()
	key := keys.Default().ResponsesList().Key("dead:batches")
	members, err := f.rdb.ZRange(f.Context(), key, 0, -1).Result()
	ok(f.T, err)
	for _, member := range members {
		ok(f.T, f.rdb.ZAddXX(f.Context(), key, redis.Z{Score: 1, Member: member}).Err())
	}
	equal(f.T, "batches", len(members) > 0, true)
}

func (f fixture) take(destination string) responses.Batch {
	f.Helper()
	var all []responses.DeadLetter
	for l, err := range f.deps.DeadLetters.List(f.Context(), responses.Filter{}) {
		ok(f.T, err)
		all = append(all, l)
	}
	b, err := f.deps.DeadLetters.Take(f.Context(), destination, all...)
	ok(f.T, err)
	return b
}

// A replay that dies before its push loses no letter; one that dies after it leaves none to send
// again.
func TestReplayDies(t *testing.T) {
	for _, pushed := range []bool{false, true} {
		t.Run(fmt.Sprint("pushed ", pushed), func(t *testing.T) {
			f := open(t)
			f.create("42", campaign.Running)
			f.bury(failed("42", "u1", "X"), failed("42", "u2", "X"))
			f.reach("u1", "u2")
			b := f.take("42")
			equal(t, "taken", len(b.Letters), 2)
			equal(t, "left while they are taken", f.letters(), "[]")
			equal(t, "taken by another", len(f.take("42").Letters), 0)
			if pushed {
				r := replay{o: f.Operator, pushed: map[string]bool{}, into: map[string]int64{}}
				list, err := f.deps.Names.Campaign("42")
				ok(t, err)
				ok(t, r.append(t.Context(), list, b.ID, r.encodeLetters(b.Letters)))
			}
			f.dies()
			want := "2 replayed, 0 skipped"
			if pushed {
				want = "0 replayed, 0 skipped"
			}
			equal(t, "replay", f.replay(responses.Filter{}), want)
			equal(t, "listed", fmt.Sprint(f.list("campaign:42")), `[{"userId":"u1"} {"userId":"u2"}]`)
			equal(t, "left", f.letters(), "[]")
			f.noBatches()
		})
	}
}

// A copy of a letter that another replay has sent is removed with it, even if it arrives later.
func TestReplayOfALateCopy(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	f.reach("u")
	copied := failed("42", "u", "X")
	f.bury(copied)
	equal(t, "replay", f.replay(responses.Filter{}), "1 replayed, 0 skipped")
	f.bury(copied)
	equal(t, "replay of the copy", f.replay(responses.Filter{}), "0 replayed, 0 skipped")
	equal(t, "left", f.letters(), "[]")
	equal(t, "listed", len(f.list("campaign:42")), 1)
}

// A completed push counts, and its letters are gone, even if the campaign cannot be read
// afterwards.
func TestReplayIntoACampaignThatBreaks(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	f.bury(failed("42", "u1", "X"), failed("42", "u2", "X"))
	b := f.take("42")
	ok(t, f.rdb.Del(t.Context(), "{campaign:42}:spec").Err())
	ok(t, f.rdb.Set(t.Context(), "{campaign:42}:spec", "x", 0).Err())
	r := replay{o: f.Operator, pushed: map[string]bool{}, into: map[string]int64{}}
	list, err := f.deps.Names.Campaign("42")
	ok(t, err)
	mentions(t, r.finish(t.Context(), "42", list, b), "{campaign:42}:spec")
	equal(t, "summary", r.summary, ReplaySummary{Replayed: 2})
	equal(t, "listed", len(f.list("campaign:42")), 2)
	f.noBatches()
	equal(t, "left", f.letters(), "[]")
}

// noBatches checks that no replay is running.
func (f fixture) noBatches() {
	f.Helper()
	keys, err := f.rdb.Keys(f.Context(), "{notification:responses}:dead:batch*").Result()
	ok(f.T, err)
	equal(f.T, "batches left", fmt.Sprint(keys), "[]")
}

// A campaign that ends right after the push is not claimed from any more: its letters are kept.
func TestReplayIntoACampaignThatEnds(t *testing.T) {
	f := open(t)
	f.create("42", campaign.Running)
	f.bury(failed("42", "u1", "X"), failed("42", "u2", "X"))
	b := f.take("42")
	ok(t, f.deps.Campaigns.Move(t.Context(), "42", campaign.Cancelled, ""))
	r := replay{o: f.Operator, pushed: map[string]bool{}, into: map[string]int64{}}
	list, err := f.deps.Names.Campaign("42")
	ok(t, err)
	ok(t, r.finish(t.Context(), "42", list, b))
	equal(t, "skipped", r.summary.Skipped, 2)
	equal(t, "left", f.letters(), "[42/u1 42/u2]")
	if b.Until.Before(time.Now()) {
		t.Error("a batch has no time to be replayed")
	}
}
