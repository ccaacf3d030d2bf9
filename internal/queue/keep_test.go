package queue_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
)

// Expiries that another program has set on keys of ours go when a script puts something there.
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

// A lease is over in the millisecond in which it ends and not before, also where it was extended since a reaper has found it.
func TestReapsToTheMillisecond(t *testing.T) {
	server := miniredis.RunT(t)
	b := single(t, "miniredis", server.Addr())
	now := time.UnixMilli(1_900_000_000_000)
	for extended, reaped := range map[time.Duration]int{0: 2, time.Millisecond: 0} {
		server.SetTime(now)
		f := openOn(t, b.lossy, b.rdb, queue.NewClaimID(), queue.Options{Lease: time.Millisecond})
		sound := openOn(t, b.rdb, b.rdb, f.id, queue.Options{Lease: time.Millisecond})
		f.push("a", "b")
		l := f.claim(2)
		server.SetTime(now.Add(time.Millisecond))
		b.lose(t, func(_ int, script []string) bool {
			if script[2] == "4" && extended > 0 { // leases, back, counts and the one lease: it releases
				if lost, err := sound.Extend(t.Context(), l.Claim); err != nil || len(lost) > 0 {
					t.Errorf("extend: lost %v, error %v", lost, err)
				}
			}
			return false
		})
		wantEqual(t, "reaped of a lease that ends in "+extended.String(), f.reap(), reaped)
		b.lose(t, nil)
	}
}

// Up to a limit codes are counted by name, in one call and over many; the others together, but for those that have a name already.
func TestRareCodesAreCounted(t *testing.T) {
	f := onMini(t, queue.Options{})
	f.push(numbered("u", 10)...)
	failed := func(l queue.Lease, pos int, code string) queue.Settlement {
		return queue.Settlement{Claim: l.Claim, Pos: pos, Status: "failed", Code: code, MaxRare: 2}
	}
	l := f.claim(8)
	f.settle(failed(l, 1, "A"), failed(l, 2, "A"))
	f.settle(failed(l, 3, "B"), failed(l, 4, "A"))
	f.settle(failed(l, 5, "C"), failed(l, 6, "D"), failed(l, 7, "D"), failed(l, 8, "B"))
	c := f.counts()
	wantCodes(t, c, map[string]int64{"failed:A": 3, "failed:B": 2, "failed:OTHER": 3})

	all := onMini(t, queue.Options{})
	all.push(numbered("u", 10)...)
	l = all.claim(5)
	all.settle(failed(l, 1, "A"), failed(l, 2, "B"), failed(l, 3, "C"), failed(l, 4, "D"),
		queue.Settlement{Claim: l.Claim, Pos: 5, Status: "failed", Code: "KNOWN"})
	c = all.counts()
	wantEqual(t, "others", c.Codes["failed:OTHER"], 2)
	wantEqual(t, "known", c.Codes["failed:KNOWN"], 1)
	wantEqual(t, "codes", len(c.Codes), 4)
}

func wantCodes(t *testing.T, c queue.Counts, want map[string]int64) {
	t.Helper()
	wantEqual(t, "codes", len(c.Codes), len(want))
	for code, n := range want {
		wantEqual(t, code, c.Codes[code], n)
	}
}

// A settlement that was cut is finished beside a lease that somebody has deleted since.
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

// Recipients that a cut settlement has put off are counted once, whether they are among the retries yet or not.
func TestRetriesOfACutSettlementAreCountedOnce(t *testing.T) {
	f := onMini(t, queue.Options{Lease: time.Minute})
	f.push("a", "b", "c")
	l := f.claimAs("cut", 3)
	f.settle(queue.Settlement{Claim: "cut", Pos: 1, Later: true, In: time.Hour, Attempts: 1})
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

// header is that of a lease, with other marks.
func (f fixture) header(claim, marks string) string {
	f.Helper()
	head, err := f.rdb.LIndex(f.Context(), f.list.Lease(claim), 0).Result()
	if err != nil {
		f.Fatalf("read header: %v", err)
	}
	return marks + head[len(marks):]
}

// Batches of a load count what they bring: what is missing is replaced first, and what was seen meanwhile is not forgotten.
func TestAppendReplacesWhatIsMissing(t *testing.T) {
	f := onMini(t, queue.Options{})
	field := func(what, name, want string) {
		t.Helper()
		wantEqual(t, what+": "+name, f.rdb.HGet(t.Context(), f.list.Key(keys.SuffixCounts), name).Val(), want)
	}
	f.set("seen", 10, "claimed", 4, "replaces", 5)
	f.append("load", 0, 0, "a", "b", "c")
	field("some of the missing", "replaces", "2")
	field("some of the missing", "seen", "10")
	f.append("load", 1, 0, "d", "e", "f", "g")
	field("the rest and more", "replaces", "0")
	field("the rest and more", "seen", "12")

	// A batch that was cut behind its push, and recipients whom others have seen since.
	f.push("h")
	f.set("append", "2 11 7 13 load", "seen", 20)
	f.append("load", 2, 0, "h")
	field("a batch that was cut", "seen", "20")
}

// The list lives on as long as the last batch says, and no shorter than a batch before it did.
func TestAppendMovesTheGuard(t *testing.T) {
	f := onMini(t, queue.Options{Linger: time.Hour})
	for i, c := range []struct{ ttl, kept time.Duration }{{time.Hour, 2 * time.Hour}, {3 * time.Hour, 4 * time.Hour}, {time.Hour, 4 * time.Hour}} {
		f.append("load", int64(i), c.ttl, "a")
		if off := f.rdb.PTTL(t.Context(), f.list.Plain()).Val() - c.kept; off.Abs() > 5*time.Second {
			t.Errorf("batch %d: the expiry is %s from %s", i, off, c.kept)
		}
	}
}
