package campaign_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

func discoversWhatRuns(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, state := range campaign.States {
		f.into("is "+string(state), state)
	}
	f.hset(f.key("bad", keys.SuffixSpec), "message", "{}", "state", "jogging")
	f.hset(f.key("mute", keys.SuffixSpec), "state", "running")
	f.ok(f.rdb.Set(t.Context(), f.key("odd", keys.SuffixSpec), "a string", 0).Err())
	f.push("mute", 1)
	f.push("bad", 1)
	f.push("odd", 1)
	d := f.discover()
	wantList(t, "running", idsOf(d.Running), "is running")
	wantEqual(t, "message", string(d.Running[0].Message), string(message))
	wantList(t, "waiting", d.Waiting)
	broken := map[string]error{}
	for _, p := range d.Broken {
		broken[p.ID] = p.Err
	}
	wantEqual(t, "broken", len(broken), 3)
	for id, field := range map[string]string{"bad": "state", "mute": "message"} {
		if wrong, ok := errors.AsType[*campaign.SpecError](broken[id]); !ok || wrong.Field != field {
			t.Errorf("%s is broken by %v, want its %s", id, broken[id], field)
		}
	}
	if wrong, ok := errors.AsType[*redisx.TypeError](broken["odd"]); !ok || wrong.Key != f.key("odd", keys.SuffixSpec) {
		t.Errorf("odd is broken by %v, want its type", broken["odd"])
	}
	f.hset(f.key("mute", keys.SuffixSpec), "message", "{}")
	wantList(t, "running when mended", idsOf(f.discover().Running), "is running", "mute")
}

// goesOnBesideTheBroken gives one campaign of every kind a key of the wrong type. The others
// continue.
func goesOnBesideTheBroken(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.into("good", campaign.Running)
	f.into("bad", campaign.Running)
	f.push("listed", 1)
	f.ok(f.rdb.SAdd(t.Context(), keys.Default().Registry(), "bare").Err())
	f.into("old", campaign.Cancelled)
	for _, id := range []string{"bad", "listed", "bare", "old"} {
		f.ok(f.rdb.Set(t.Context(), f.key(id, keys.SuffixCounts), "a string", 0).Err())
	}
	f.ok(f.rdb.Set(t.Context(), f.key("old", keys.SuffixLeases), "a string", 0).Err())
	d := f.discover()
	wantList(t, "running", idsOf(d.Running), "good")
	wantList(t, "waiting", d.Waiting, "listed")
	wantList(t, "unsettled", d.Unsettled, "old")
	var broken []string
	for _, p := range d.Broken {
		broken = append(broken, p.ID)
		if wrong, ok := errors.AsType[*redisx.TypeError](p.Err); !ok || wrong.Key != f.key(p.ID, keys.SuffixCounts) {
			t.Errorf("%s is broken by %v, want its counts", p.ID, p.Err)
		}
	}
	wantList(t, "broken", broken, "bad", "bare")
	f.ok(f.rdb.Del(t.Context(), f.key("bad", keys.SuffixCounts)).Err())
	wantList(t, "running when mended", idsOf(f.discover().Running), "bad", "good")
}

// tellsWhatIsStateless has specs without a state, as an application may write them.
func tellsWhatIsStateless(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for id, field := range map[string]string{"1": "message", "2": "name", "3": "theirs"} {
		f.hset(f.key(id, keys.SuffixSpec), field, "{}")
		f.push(id, 1)
	}
	d := f.discover()
	wantList(t, "waiting", d.Waiting)
	wantEqual(t, "broken", len(d.Broken), 3)
	all, err := f.List(t.Context())
	f.ok(err)
	wantEqual(t, "listed", len(all), 3)
	for i, p := range d.Broken {
		wantEqual(t, "in the list", fmt.Sprint(all[i].Err), fmt.Sprint(p.Err))
		if wrong, ok := errors.AsType[*campaign.SpecError](p.Err); !ok || wrong.Field != "state" || !strings.HasPrefix(wrong.Problem, "is missing: HSET it") {
			t.Errorf("%s is broken by %v, want that its state is missing, and what to do", p.ID, p.Err)
		}
	}
	wantEqual(t, "a start says the same", strings.Contains(fmt.Sprint(f.Move(t.Context(), "1", campaign.Running, "")), "is missing: HSET it"), true)
	f.hset(f.key("1", keys.SuffixSpec), "state", "running")
	wantList(t, "running when mended", idsOf(f.discover().Running), "1")
}

// looksAtManyAtOnce counts round trips: a thousand lists without a message must not delay running
// campaigns.
func looksAtManyAtOnce(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	trips := new(tripCounter)
	g := openOn(t, b.WithHook(t, trips), b.Redis, eager)
	look := func() int {
		g.discover() // adopts and registers
		trips.n.Store(0)
		g.discover()
		return int(trips.n.Load())
	}
	add := func(from, to int) {
		for i := from; i < to; i++ {
			f.push(fmt.Sprint("waits", i), 1)
			f.ok(f.rdb.SAdd(t.Context(), keys.Default().Registry(), fmt.Sprint("bare", i)).Err())
			f.ok(f.rdb.RPush(t.Context(), f.key(fmt.Sprint("bare", i), keys.SuffixBack), "x").Err())
			f.hset(f.key(fmt.Sprint("runs", i), keys.SuffixSpec), "message", "{}", "state", "running")
			f.push(fmt.Sprint("runs", i), 1)
			f.hset(f.key(fmt.Sprint("off", i), keys.SuffixSpec), "message", "{}", "state", "cancelled")
			f.push(fmt.Sprint("off", i), 1)
		}
	}
	add(0, 1)
	few := look()
	add(1, 25)
	wantEqual(t, "round trips", look(), few)
	d := g.discover()
	wantEqual(t, "running", len(d.Running), 25)
	wantEqual(t, "waiting", len(d.Waiting), 50)

	f.ok(f.rdb.SAdd(t.Context(), keys.Default().Registry(), "gone1").Err())
	trips.n.Store(0)
	g.discover()
	one := trips.n.Load()
	f.ok(f.rdb.SAdd(t.Context(), keys.Default().Registry(), "gone1", "gone2", "gone3").Err())
	trips.n.Store(0)
	g.discover()
	wantEqual(t, "round trips to forget", trips.n.Load(), one)
	wantEqual(t, "registered", f.registered("gone2"), false)
}

func discoversForeignLists(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	var want []string
	for i := range 12 { // in a cluster, on all masters
		id := fmt.Sprintf("app%02d", i)
		want = append(want, id)
		f.push(id, 1)
	}
	f.push("{own}tag", 1)
	want = append(want, "{own}tag")
	slices.Sort(want)
	ctx := t.Context()
	f.ok(f.rdb.RPush(ctx, "campaign:app00:responses", "x").Err())
	f.ok(f.rdb.RPush(ctx, f.key("app00", keys.SuffixBack), "x").Err())
	f.ok(f.rdb.RPush(ctx, f.key("{own}tag", keys.SuffixBack), "x").Err())
	f.ok(f.rdb.RPush(ctx, "notification:responses", "x").Err())
	f.ok(f.rdb.Set(ctx, "campaign:string", "x", 0).Err())
	wantList(t, "waiting", f.discover().Waiting, want...)

	f.hset(f.key("app03", keys.SuffixSpec), "message", "{}", "state", "running")
	d := f.discover()
	wantList(t, "running", idsOf(d.Running), "app03")
	wantEqual(t, "still waiting", len(d.Waiting), 12)
	wantEqual(t, "registered", f.registered("app03"), true)
	wantEqual(t, "started", f.get("app03").StartedAt.IsZero(), false)
	f.end("app03", f.claim("app03", 1), notification.StatusSent)
	wantEqual(t, "complete", f.complete("app03"), true)
}

func scansInPieces(t *testing.T, b *backends.Backend) {
	pipe := b.Redis.Pipeline()
	for i := range 6000 {
		pipe.Set(t.Context(), fmt.Sprintf("user:%d:token", i), "x", 0)
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	f := openOn(t, b.Redis, b.Redis, campaign.Options{ScanBudget: time.Nanosecond, ScanEvery: time.Hour})
	f.push("1", 1)
	looks := 1
	for len(f.discover().Waiting) == 0 && looks < 100 {
		looks++
	}
	for range 100 { // to the end of the pass, wherever it found the list
		f.discover()
	}
	if looks >= 100 {
		t.Fatal("the list was never found")
	}
	f.push("2", 1)
	wantList(t, "waiting within the hour", f.discover().Waiting, "1")
	g := openOn(t, b.Redis, b.Redis, campaign.Options{ScanEvery: time.Hour, ScanBudget: time.Minute})
	wantList(t, "waiting for another process", g.discover().Waiting, "1", "2")
}

func reopensAndAdopts(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, id := range []string{"late", "job"} {
		f.into(id, campaign.Running)
		f.push(id, 1)
		f.drain(id)
		wantEqual(t, "complete", f.complete(id), true)
		f.discover()
		wantEqual(t, "stays", f.get(id).State, campaign.Completed)
		f.push(id, 2)
	}
	adopted, err := f.Adopt(t.Context(), "job")
	f.ok(err)
	wantEqual(t, "adopted", adopted.State, campaign.Running)
	wantList(t, "running", idsOf(f.discover().Running), "job", "late")
	for _, id := range []string{"late", "job"} {
		wantEqual(t, "state", f.get(id).State, campaign.Running)
		wantEqual(t, "finished", f.get(id).FinishedAt.IsZero(), true)
		wantEqual(t, "expiry of the counts", f.expiry(f.key(id, keys.SuffixCounts)), never)
		f.drain(id)
		wantEqual(t, "sent in all", f.books(id).Sent, 3)
	}

	f.hset(f.key("brief", keys.SuffixSpec), "message", "{}", "state", "running")
	f.ok(f.rdb.PExpire(t.Context(), f.key("brief", keys.SuffixSpec), time.Hour).Err())
	f.push("brief", 1)
	f.discover()
	wantEqual(t, "expiry of a running spec", f.expiry(f.key("brief", keys.SuffixSpec)), never)
	_, err = f.Adopt(t.Context(), "nobody")
	f.refused("adopt", err, campaign.ErrNotFound)
}

// adoptsWithoutAWrite reads campaigns that are in order. A write on each read would be several a
// second, sent to all replicas.
func adoptsWithoutAWrite(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	for _, state := range campaign.States {
		id := string(state)
		f.into(id, state)
		if state != campaign.Completed {
			f.push(id, 1)
		}
		f.discover()
		look := func(tx *redis.Tx) error {
			f.discover()
			if _, err := f.Adopt(t.Context(), id); err != nil {
				return err
			}
			_, err := tx.TxPipelined(t.Context(), func(p redis.Pipeliner) error { return p.Ping(t.Context()).Err() })
			return err
		}
		registry := keys.Default().Registry()
		for _, keys := range [][]string{{registry}, {f.key(id, keys.SuffixSpec), f.key(id, keys.SuffixCounts), f.list(id).Plain()}} {
			if err := f.rdb.Watch(t.Context(), look, keys...); err != nil {
				t.Errorf("adopt %s while nobody may write %v: %v", id, keys, err)
			}
		}
	}
}

func listsAll(t *testing.T, b *backends.Backend) {
	f := open(t, b)
	f.hset(f.key("older", keys.SuffixSpec), "message", "{}", "state", "paused", "created_at", "1000", "name", "Old")
	f.push("older", 3)
	f.create("newer", campaign.Draft)
	f.push("mute", 2)
	f.hset(f.key("bad", keys.SuffixSpec), "message", "{}", "state", "jogging")
	f.push("bad", 1)
	f.ok(f.rdb.SAdd(t.Context(), keys.Default().Registry(), "gone").Err())
	all, err := f.List(t.Context())
	f.ok(err)
	var ids []string
	for _, s := range all {
		ids = append(ids, s.Spec.ID)
	}
	wantList(t, "campaigns", ids, "newer", "older", "bad", "mute")
	wantEqual(t, "name", all[1].Spec.Name, "Old")
	wantEqual(t, "waiting", all[1].Books.Waiting, 3)
	wantEqual(t, "error of the bad", all[2].Err != nil, true)
	wantEqual(t, "state of the mute", all[3].Spec.State, "")
	wantEqual(t, "waiting for a message", all[3].Books.Waiting, 2)
}

// tripCounter is a hook that counts round trips: a pipeline is one.
type tripCounter struct{ n atomic.Int64 }

func (c *tripCounter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (c *tripCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmd)
	}
}

func (c *tripCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		c.n.Add(1)
		return next(ctx, cmds)
	}
}
