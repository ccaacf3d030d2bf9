package queue_test

import (
	"errors"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
)

// onMini returns a queue on a miniredis of its own.
func onMini(t *testing.T, o queue.Options) fixture {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	return openOn(t, rdb, rdb, "mini", o)
}

// set writes fields of the counts.
func (f fixture) set(fields ...any) {
	f.Helper()
	if err := f.rdb.HSet(f.Context(), f.list.Key(keys.SuffixCounts), fields...).Err(); err != nil {
		f.Fatalf("write counts: %v", err)
	}
}

// A lease of another type that the journal names is reported before anything is written.
func TestRecoveryNamesTheWrongType(t *testing.T) {
	for _, entry := range []string{
		"claim claim 0", "release all good claim", "release expired claim good", "strike claim 0", "strike good 01 claim 0",
		"strike good 01 claim 01 ; claim 1 5 1",
	} {
		f := onMini(t, queue.Options{Lease: time.Minute})
		f.push("a", "b", "c", "d", "e", "f", "g")
		f.claimAs("good", 2)
		f.claimAs("claim", 2)
		l := f.claimAs("own", 2)
		f.set("journal", entry)
		wrong := f.list.Lease("claim")
		f.rdb.Del(t.Context(), wrong)
		f.rdb.SAdd(t.Context(), wrong, "of another type")
		before := f.dump()
		for operation, call := range map[string]func() error{
			"claim":     func() error { _, err := f.Claim(t.Context(), "next", 1); return err },
			"settle":    func() error { _, err := f.Settle(t.Context(), endAll(l)); return err },
			"give back": func() error { _, err := f.GiveBack(t.Context(), "own"); return err },
			"count":     func() error { _, err := f.Count(t.Context()); return err },
		} {
			err := call()
			if bad, ok := errors.AsType[*redisx.TypeError](err); !ok || bad.Key != wrong || bad.Holds != "set" || bad.Want != "list" {
				t.Errorf("%s behind %q: %v, want the type of %s", operation, entry, err, wrong)
			}
			if after := f.dump(); after != before {
				t.Errorf("%s behind %q moved something:\nfrom %s\n  to %s", operation, entry, before, after)
			}
		}
	}
}

// The recovery of a move removes an expiry that another program has set on the leases, even if it
// moves nothing.
func TestRecoveryKeepsLeases(t *testing.T) {
	f := onMini(t, queue.Options{Lease: time.Minute})
	f.push("a", "b")
	f.claimAs("held", 1)
	leases := f.list.Key(keys.SuffixLeases)
	f.set("journal", "release all gone")
	if err := f.rdb.Expire(t.Context(), leases, time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	if n, err := f.GiveBack(t.Context(), "gone"); n != 0 || err != nil {
		t.Fatalf("%d given back of a claim that is gone, error %v", n, err)
	}
	if left := f.rdb.TTL(t.Context(), leases).Val(); left != -1 {
		t.Errorf("the leases expire in %s, want never", left)
	}
}

// A claim was cut after it trimmed the list. The next script counts it and leaves the rest of the
// list alone, even elements that look the same.
func TestRecoveryDropsNoCopies(t *testing.T) {
	f := onMini(t, queue.Options{Lease: time.Minute})
	f.push("same", "same", "same", "same")
	const claim = "cut"
	f.claimAs(claim, 2)
	f.set("journal", "claim "+claim+" 0", "claimed", 0)
	books := func(when string, listed, claimed int64) {
		t.Helper()
		c, err := f.Count(t.Context())
		if err != nil || c.Listed != listed || c.InFlight != claimed || c.Claimed != claimed {
			t.Errorf("%s: %d listed, %d in flight, %d claimed, error %v; want %d listed, %d claimed", when, c.Listed, c.InFlight, c.Claimed, err, listed, claimed)
		}
	}
	books("before the next claim", 2, 2)
	f.claim(5)
	books("after it", 0, 4)
}

// A script that writes to one of our keys removes an expiry that another program has set on it.
func TestScriptsKeepWhatTheyWrite(t *testing.T) {
	for name, c := range map[string]struct {
		key string
		act func(f fixture, l queue.Lease)
	}{
		"claim":       {keys.SuffixLeases, func(f fixture, _ queue.Lease) { f.claim(1) }},
		"claim again": {keys.SuffixLeases, func(f fixture, l queue.Lease) { f.claimAs(l.Claim, 2) }},
		"settle":      {keys.SuffixLeases, func(f fixture, l queue.Lease) { f.settle(sent(l.Claim, 1, "r")) }},
		"give back":   {keys.SuffixBack, func(f fixture, l queue.Lease) { f.giveBack(l.Claim) }},
		"reap":        {keys.SuffixBack, func(f fixture, l queue.Lease) { f.expire(l.Claim); f.reap() }},
	} {
		f := onMini(t, queue.Options{Lease: time.Minute})
		f.push("a", "b", "c", "d", "e", "f")
		f.giveBack(f.claim(1).Claim)
		l := f.claim(2)
		f.giveBack(f.claim(1).Claim)
		f.rdb.Expire(t.Context(), f.list.Key(c.key), time.Hour)
		c.act(f, l)
		wantEqual(t, "expiry of "+c.key+" after "+name, f.rdb.TTL(t.Context(), f.list.Key(c.key)).Val(), -1)
	}
}

// The recovery of a cut settlement passes over a lease that has been deleted since.
func TestRecoveryPassesOverDeletedLeases(t *testing.T) {
	f := onMini(t, queue.Options{Lease: time.Minute})
	f.push("a", "b", "c", "d")
	f.claimAs("deleted", 2)
	f.claimAs("cut", 1)
	f.set("journal", "strike deleted 01 cut 0", "ended:sent", 2)
	f.rdb.Del(t.Context(), f.list.Lease("deleted"))
	c, err := f.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "in flight", c.InFlight, 0)
	wantList(t, "claimed after it", raws(f.claim(5)), []string{"d"})
	wantEqual(t, "the lease that held nothing more", f.rdb.Exists(t.Context(), f.list.Lease("cut")).Val(), 0)
	wantEqual(t, "the lease that is gone", f.rdb.Exists(t.Context(), f.list.Lease("deleted")).Val(), 0)
}

// Recipients that a cut settlement deferred are counted once, whether or not they are among the
// retries yet.
func TestRetriesOfACutSettlementAreCountedOnce(t *testing.T) {
	f := onMini(t, queue.Options{Lease: time.Minute})
	f.push("a", "b", "c")
	l := f.claimAs("cut", 3)
	f.settle(queue.Settlement{Claim: "cut", Pos: 1, Later: true, Delay: time.Hour, Attempts: 1})
	value := f.rdb.ZRange(t.Context(), f.list.Key(keys.SuffixRetry), 0, -1).Val()[0]
	f.rdb.LSet(t.Context(), f.list.Lease("cut"), 0, f.header("cut", "111"))
	f.set("journal", "strike cut 001 ; cut 1 5 1 cut 2 5 1")
	c, err := f.Count(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "retrying", c.Retrying, 2)
	wantEqual(t, "in flight", c.InFlight, 1)
	if raw(value) != string(l.Elements[0].Raw) {
		t.Errorf("put off was %q, want %q", value, l.Elements[0].Raw)
	}
}

// header returns the header of a lease with other marks.
func (f fixture) header(claim, marks string) string {
	f.Helper()
	head, err := f.rdb.LIndex(f.Context(), f.list.Lease(claim), 0).Result()
	if err != nil {
		f.Fatalf("read header: %v", err)
	}
	return marks + head[len(marks):]
}
