package queue_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// lostRepliesLoseNothing repeats every operation as often as there are replies, and loses another
// reply each time.
func lostRepliesLoseNothing(t *testing.T, b *backends.Backend) {
	live := func(name string) {
		t.Helper()
		// All campaigns share a hash tag, so one node serves them and knows their scripts after the
		// first run.
		wholeLife(t, openOn(t, b.Lossy, b.Redis, "{lossy}"+name+queue.NewID(), queue.Options{Lease: time.Minute}))
	}
	live("warm")
	b.Lose(t, func(int, []string) bool { return false })
	live("sound")
	commands, _ := b.CountScripts()
	if commands < 12 {
		t.Fatalf("the proxy saw %d scripts of a whole life", commands)
	}
	for n := 1; n <= commands; n++ {
		b.Lose(t, servers.Nth(n))
		live(fmt.Sprint(n))
		if _, lost := b.CountScripts(); lost != 1 {
			t.Errorf("of reply %d, %d were lost, want 1", n, lost)
		}
	}
	for every := 2; every <= 5; every++ {
		b.Lose(t, servers.EveryNth(every))
		live(fmt.Sprint("every", every))
	}
}

// wholeLife takes ten elements through every operation and checks that each ends exactly once.
func wholeLife(t *testing.T, f fixture) {
	t.Helper()
	all := numbered("u", 10)
	f.append("load", 0, time.Hour, all[:6]...)
	f.append("load", 1, time.Hour, all[6:]...)
	wantEqual(t, "accepted", f.counts().Accepted, 10)

	one, two, three := f.claim(4), f.claim(2), f.claim(2)
	wantList(t, "claimed", append(append(raws(one), raws(two)...), raws(three)...), all[:8])
	if lost, err := f.Extend(t.Context(), one.Claim, two.Claim, three.Claim); err != nil || len(lost) != 0 {
		t.Errorf("extend: lost %v, error %v", lost, err)
	}
	f.settle(
		sent(one.Claim, 1, all[0]),
		queue.Settlement{Claim: one.Claim, Pos: 2, Later: true, Attempts: 1},
		queue.Settlement{Claim: two.Claim, Pos: 1, Status: "failed", Code: "X", Emit: []byte(all[4])},
	)
	wantSame(t, "waiting after settling", f.everywhere(), append(append([]string{all[5]}, all[1:4]...), all[6:]...))
	f.giveBack(two.Claim)
	f.expire(one.Claim, three.Claim)
	f.reap()
	c := f.counts()
	wantEqual(t, "back", c.Back, 5)
	wantEqual(t, "reaped", c.Reaped, 4)
	wantEqual(t, "in flight", c.InFlight, 0)

	rest := f.claim(20)
	wantList(t, "claimed at last", raws(rest),
		[]string{all[1], all[2], all[3], all[6], all[7], all[5], all[8], all[9]})
	f.settle(endAll(rest)...)
	wantSame(t, "outbox", f.outbox(), all)
	wantSame(t, "left", f.everywhere(), nil)
	c = f.counts()
	wantEqual(t, "sent", c.Ended["sent"], 9)
	wantEqual(t, "failed", c.Ended["failed"], 1)
	wantList(t, "other fields of the counts", slices.Sorted(maps.Keys(c.Notes)), []string{"append", "guard", "journal", "replaces"})
	wantEqual(t, "claimed", c.Claimed, 10)
	wantEqual(t, "accepted", c.Accepted, 10)
}

// noRepliesLoseNothing makes every repetition fail too. The caller gets an error and tries again
// once replies arrive.
func noRepliesLoseNothing(t *testing.T, b *backends.Backend) {
	// A campaign on the same node goes first. Without a reply, the client would not learn that the
	// server does not know a script yet.
	const tag = "{silent}"
	wholeLife(t, openOn(t, b.Redis, b.Redis, tag+queue.NewID(), queue.Options{}))
	f := openOn(t, b.Lossy, b.Redis, tag+queue.NewID(), queue.Options{Lease: time.Minute})
	all := numbered("u", 6)
	batch := make([][]byte, len(all))
	for i, e := range all {
		batch[i] = []byte(e)
	}
	cutOff := func(what string, call func() error) {
		t.Helper()
		b.Lose(t, servers.EveryNth(1))
		if err := call(); err == nil {
			t.Errorf("%s without a reply succeeded", what)
		}
		b.Lose(t, nil)
	}
	cutOff("append", func() error { _, err := f.Append(t.Context(), queue.Batch{Load: "l", Elements: batch}); return err })
	wantEqual(t, "accepted again", f.append("l", 0, 0, all...), false)
	cutOff("claim", func() error { _, err := f.Claim(t.Context(), "c1", 3); return err })
	lease := f.claimAs("c1", 3)
	wantList(t, "claimed by the same id", raws(lease), all[:3])
	cutOff("extend", func() error { _, err := f.Extend(t.Context(), "c1"); return err })
	half := endAll(lease)[:2]
	cutOff("settle", func() error { _, err := f.Settle(t.Context(), half); return err })
	wantEqual(t, "applied again", f.settle(half...), 0)
	cutOff("give back", func() error { _, err := f.GiveBack(t.Context(), "c1"); return err })
	wantEqual(t, "given back again", f.giveBack("c1"), 0)
	again := f.claim(3)
	f.expire(again.Claim)
	cutOff("reap", func() error { _, err := f.Reap(t.Context()); return err })
	f.reap()
	rest := f.claim(10)
	wantList(t, "the rest", raws(rest), all[2:])
	f.settle(endAll(rest)...)
	wantSame(t, "outbox", f.outbox(), all)
	wantEqual(t, "sent", f.counts().Ended["sent"], 6)
}

// manyWorkers runs workers that claim, drop, give back and settle over a connection that loses
// every seventh reply.
func manyWorkers(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Lossy, b.Redis, queue.NewID(), queue.Options{Lease: time.Minute})
	all := numbered("u", 600)
	f.push(all...)
	b.Lose(t, servers.EveryNth(7))
	var workers sync.WaitGroup
	for w := range 6 {
		workers.Go(func() {
			for turn := w; ; turn++ {
				var lease queue.Lease
				claim := queue.NewID()
				f.insist(func() (err error) { lease, err = f.Claim(t.Context(), claim, 10); return err })
				if len(lease.Elements) == 0 {
					return
				}
				f.work(lease, turn)
			}
		})
	}
	workers.Wait()
	wantSame(t, "outbox and what is still there", append(f.outbox(), f.everywhere()...), all)
	c := f.counts()
	wantEqual(t, "claimed", c.Claimed, int64(len(all)))
	if c.Ended["sent"] == 0 || c.Reaped == 0 {
		t.Errorf("%d sent and %d reaped: the workers did not do all that they should", c.Ended["sent"], c.Reaped)
	}
}

// work treats a lease in one of the ways that leases end.
func (f fixture) work(lease queue.Lease, turn int) {
	all := endAll(lease)
	settle := func(some []queue.Settlement) {
		f.insist(func() error { _, err := f.Settle(f.Context(), some); return err })
	}
	switch turn % 4 {
	case 0: // done
		settle(all)
	case 1: // half done, then stopped
		settle(all[:len(all)/2])
		f.insist(func() error { _, err := f.GiveBack(f.Context(), lease.Claim); return err })
	case 2: // deferred, and due at once
		for i := range all {
			all[i] = queue.Settlement{Claim: lease.Claim, Pos: all[i].Pos, Later: true, Attempts: 1}
		}
		settle(all)
	case 3: // the worker stalled and settles after the reaper
		f.insist(func() error {
			key := f.list.Key(keys.SuffixLeases)
			return f.rdb.ZAddXX(f.Context(), key, redis.Z{Score: 1, Member: lease.Claim}).Err()
		})
		f.insist(func() error { _, err := f.Reap(f.Context()); return err })
		settle(all)
	}
}

// insist repeats a call while even the client's own repetitions lose their replies.
func (f fixture) insist(call func() error) {
	const often = 20
	var err error
	for range often {
		if err = call(); err == nil {
			return
		}
	}
	f.Errorf("no success in %d calls: %v", often, err)
}

// A Redis that is full and must not evict still drains. It refuses only new elements.
func TestFullRedisDrains(t *testing.T) {
	b := backends.OpenRedis(t)
	f := open(t, b, queue.Options{})
	all := numbered("u", 400)
	f.push(all...)
	early, given, expired := f.claim(50), f.claim(50), f.claim(50)
	f.settle(queue.Settlement{Claim: early.Claim, Pos: 1, Later: true})
	f.expire(expired.Claim)
	b.Fill(t)
	_, err := f.Append(t.Context(), queue.Batch{Load: "load", Elements: [][]byte{[]byte("more")}})
	if err == nil || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("an append to a full Redis: %v, want OOM", err)
	}

	if lost, err := f.Extend(t.Context(), early.Claim, given.Claim); err != nil || len(lost) > 0 {
		t.Fatalf("extend: lost %v, error %v", lost, err)
	}
	f.giveBack(given.Claim)
	wantEqual(t, "reaped", f.reap(), 50)
	wantEqual(t, "repeated claim", len(f.claimAs(early.Claim, 50).Elements), 49)
	f.settle(queue.Settlement{Claim: early.Claim, Pos: 2, Later: true})
	f.settle(endAll(early)[2:]...)
	f.rdb.Expire(t.Context(), f.list.Plain(), time.Hour)
	for {
		lease := f.claim(50)
		if len(lease.Elements) == 0 {
			break
		}
		wantEqual(t, "applied", f.settle(endAll(lease)...), len(lease.Elements))
	}
	wantSame(t, "outbox", f.outbox(), all)
	wantEqual(t, "accepted", f.counts().Accepted, 0)
}
