package queue_test

import (
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func settlesEnded(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a", "b", "c", "d")
	l := f.claim(4)
	applied := f.settle(
		queue.Settlement{Claim: l.Claim, Pos: 4, Status: "failed", Code: "UNREGISTERED", Emit: []byte("r4")},
		queue.Settlement{Claim: l.Claim, Pos: 1, Status: "sent", Emit: []byte("r1")},
		queue.Settlement{Claim: l.Claim, Pos: 2, Status: "failed", Code: "QUOTA:EXCEEDED", Emit: []byte("r2")},
	)
	wantEqual(t, "applied", applied, 3)
	wantSame(t, "outbox", f.outbox(), []string{"r1", "r2", "r4"})
	c := f.counts()
	wantEqual(t, "sent", c.Ended["sent"], 1)
	wantEqual(t, "failed", c.Ended["failed"], 2)
	wantEqual(t, "unregistered", c.Codes["failed:UNREGISTERED"], 1)
	wantEqual(t, "quota", c.Codes["failed:QUOTA:EXCEEDED"], 1)
	wantEqual(t, "codes", len(c.Codes), 2)
	wantEqual(t, "outbox length", c.Outbox, 3)
	wantEqual(t, "in flight", c.InFlight, 1)

	wantEqual(t, "applied", f.settle(queue.Settlement{Claim: l.Claim, Pos: 3, Status: "skipped"}), 1)
	wantEqual(t, "keys of an ended lease", f.rdb.Exists(t.Context(), f.list.Lease(l.Claim)).Val(), 0)
	wantEqual(t, "leases", f.rdb.ZCard(t.Context(), f.list.Key(keys.SuffixLeases)).Val(), 0)
	wantEqual(t, "outbox length without a payload", f.counts().Outbox, 3)
}

// Payloads go to the direct list, which then never expires. They go to the outbox only while that
// key holds another type.
func settlesDirectly(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{Direct: "direct"})
	direct := f.list.Key("direct")
	wantEqual(t, "direct", f.EmitsDirectly(), true)
	f.push("a", "b", "c")
	l := f.claim(3)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(f.rdb.RPush(t.Context(), direct, "old").Err())
	ok(f.rdb.Expire(t.Context(), direct, time.Hour).Err())
	wantEqual(t, "applied", f.settle(sent(l.Claim, 1, "r1")), 1)
	wantEqual(t, "applied again", f.settle(sent(l.Claim, 1, "r1")), 0)
	wantSame(t, "direct", f.rdb.LRange(t.Context(), direct, 0, -1).Val(), []string{"old", "r1"})
	wantEqual(t, "expiry", f.rdb.TTL(t.Context(), direct).Val(), -1)
	wantEqual(t, "outbox length", f.counts().Outbox, 0)

	ok(f.rdb.Set(t.Context(), direct, "another type", 0).Err())
	wantEqual(t, "applied", f.settle(sent(l.Claim, 2, "r2")), 1)
	wantSame(t, "outbox", f.outbox(), []string{"r2"})
	ok(f.rdb.Del(t.Context(), direct).Err())
	wantEqual(t, "applied", f.settle(queue.Settlement{Claim: l.Claim, Pos: 3, Later: true}), 1)
	wantEqual(t, "direct without a payload", f.rdb.Exists(t.Context(), direct).Val(), 0)
}

func settlesLater(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a", "b", "c")
	l := f.claim(2)
	f.settle(
		queue.Settlement{Claim: l.Claim, Pos: 1, Later: true, Delay: time.Hour, Attempts: 7},
		queue.Settlement{Claim: l.Claim, Pos: 2, Later: true, Delay: -time.Second, Attempts: 1},
	)
	wantEqual(t, "retrying", f.counts().Retrying, 2)
	due, err := f.rdb.ZRangeWithScores(t.Context(), f.list.Key(keys.SuffixRetry), 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "hour between the two, in ms", int64(due[1].Score-due[0].Score), time.Hour.Milliseconds())

	next := f.claim(3)
	wantList(t, "the due one ahead of the list", raws(next), []string{"b", "c"})
	wantEqual(t, "attempts", next.Elements[0].Attempts, 1)
	f.giveBack(next.Claim)
	f.fallDue()
	last := f.claim(1)
	wantList(t, "due ahead of back", raws(last), []string{"a"})
	e, was := last.Elements[0], l.Elements[0]
	wantEqual(t, "attempts", e.Attempts, 7)
	wantEqual(t, "id", e.ID, was.ID)
	wantEqual(t, "since", e.Since, was.Since)
	wantEqual(t, "claimed", f.counts().Claimed, 3)
}

// A retry is not claimed before it is due. A test that a busy machine delays beyond that time
// repeats the wait.
func waitsForTheDueTime(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a")
	l := f.claim(1)
	for early := false; !early; {
		f.settle(queue.Settlement{Claim: l.Claim, Pos: 1, Later: true, Delay: 500 * time.Millisecond})
		due := f.rdb.ZRangeWithScores(t.Context(), f.list.Key(keys.SuffixRetry), 0, 0).Val()[0].Score
		l = f.claim(1)
		early = float64(f.rdb.Time(t.Context()).Val().UnixMilli()) < due
		if early {
			wantList(t, "claimed early", raws(l), nil)
		} else if len(l.Elements) == 0 {
			l = f.claim(1)
		}
	}
}

// A note is counted beside the status and the code, also with a code whose number is limited.
func countsNotes(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a", "b", "c", "d")
	l := f.claim(4)
	kept := []queue.Note{{Name: "kept", N: 1}}
	all := []queue.Settlement{
		{Claim: l.Claim, Pos: 1, Status: "failed", Code: "DEAD", Notes: kept},
		{Claim: l.Claim, Pos: 2, Status: "failed", Code: "ODD", MaxRare: 1, Notes: append(kept, queue.Note{Name: "other:x", N: 3})},
		{Claim: l.Claim, Pos: 3, Status: "sent", Notes: append(kept, queue.Note{Name: "other:x", N: 2})},
		{Claim: l.Claim, Pos: 4, Status: "failed", Code: "DEAD"},
	}
	wantEqual(t, "applied", f.settle(all...), 4)
	wantEqual(t, "applied again", f.settle(all...), 0)
	c := f.counts()
	wantEqual(t, "note", c.Notes["note:kept"], "3")
	wantEqual(t, "note with numbers", c.Notes["note:other:x"], "5")
	wantEqual(t, "failed", c.Ended["failed"], 3)
	wantEqual(t, "sent", c.Ended["sent"], 1)
	wantEqual(t, "dead", c.Codes["failed:DEAD"], 2)
	wantEqual(t, "odd", c.Codes["failed:ODD"], 1)
	if _, err := f.Settle(t.Context(), []queue.Settlement{{Claim: l.Claim, Pos: 1, Status: "sent", Notes: []queue.Note{{Name: "two words", N: 1}}}}); err == nil {
		t.Error("a note of two words is accepted")
	}
}

// Causes of deferrals are counted beside the ended elements, and neither changes the other.
func countsWhyLater(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a", "b", "c", "d")
	l := f.claim(4)
	again := []queue.Settlement{
		{Claim: l.Claim, Pos: 1, Later: true, Delay: time.Hour, Attempts: 1, Cause: "ambiguous"},
		{Claim: l.Claim, Pos: 2, Later: true, Delay: time.Hour, Attempts: 2},
		{Claim: l.Claim, Pos: 3, Later: true, Delay: 2 * time.Hour, Attempts: 3, Cause: "ambiguous"},
		{Claim: l.Claim, Pos: 4, Status: "sent"},
	}
	wantEqual(t, "applied", f.settle(again...), 4)
	wantEqual(t, "applied again", f.settle(again...), 0)
	c := f.counts()
	wantEqual(t, "put off as ambiguous", c.Later["ambiguous"], 2)
	wantEqual(t, "causes", len(c.Later), 1)
	wantEqual(t, "retrying", c.Retrying, 3)
	wantEqual(t, "statuses that ended", len(c.Ended), 1)
	wantEqual(t, "codes", len(c.Codes), 0)
	due, err := f.rdb.ZRangeWithScores(t.Context(), f.list.Key(keys.SuffixRetry), 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "hour between the last two, in ms", int64(due[2].Score-due[1].Score), time.Hour.Milliseconds())
}

func settlesOnce(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a", "b")
	l := f.claim(2)
	once := sent(l.Claim, 1, "r")
	wantEqual(t, "applied of two alike", f.settle(once, once), 1)
	wantEqual(t, "applied again", f.settle(once), 0)
	wantEqual(t, "applied with a new one", f.settle(once, sent(l.Claim, 2, "s")), 1)
	wantList(t, "outbox", f.outbox(), []string{"r", "s"})
	wantEqual(t, "sent", f.counts().Ended["sent"], 2)
}

func settlesAcrossClaims(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	all := numbered("u", 1500)
	f.push(all...)
	var leases []queue.Lease
	var settlements []queue.Settlement
	for range 30 {
		l := f.claim(50)
		leases = append(leases, l)
		settlements = append(settlements, endAll(l)...)
	}
	for i := range settlements { // mixed across claims, as results arrive
		j := i * 7 % len(settlements)
		settlements[i], settlements[j] = settlements[j], settlements[i]
	}
	wantEqual(t, "applied", f.settle(settlements...), len(all))
	wantSame(t, "outbox", f.outbox(), all)
	wantEqual(t, "leases", f.rdb.ZCard(t.Context(), f.list.Key(keys.SuffixLeases)).Val(), 0)
	wantEqual(t, "given back of ended claims", f.giveBack(leases[0].Claim, leases[1].Claim), 0)
}

// Settlements that differ only in their payload are counted together, and each element keeps its
// own payload.
func settlesWithAndWithoutPayload(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	all := numbered("u", 6)
	f.push(all...)
	settlements := endAll(f.claim(6))
	for _, silent := range []int{0, 2, 5} {
		settlements[silent].Emit = nil
	}
	gone := settlements[1]
	f.settle(gone)
	wantEqual(t, "applied", f.settle(settlements...), 5)
	wantSame(t, "outbox", f.outbox(), []string{string(gone.Emit), string(settlements[3].Emit), string(settlements[4].Emit)})
	wantEqual(t, "sent", f.counts().Ended["sent"], 6)
}

// Settling a lost or unknown lease leaves no trace.
func settlesNothingThatIsLost(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	wantEqual(t, "applied without a lease", f.settle(sent("never", 1, "x")), 0)
	wantEqual(t, "keys", f.rdb.Exists(t.Context(), f.list.Key(keys.SuffixCounts), f.list.Lease("never")).Val(), 0)

	f.push("a", "b")
	lost := f.claim(2)
	f.expire(lost.Claim)
	f.reap()
	wantEqual(t, "applied of a lost lease", f.settle(endAll(lost)...), 0)
	wantEqual(t, "outbox length", f.counts().Outbox, 0)

	kept := f.claim(2)
	wantEqual(t, "applied of both", f.settle(append(endAll(lost), endAll(kept)...)...), 2)
	wantEqual(t, "sent", f.counts().Ended["sent"], 2)
}

// Rare codes are counted by name up to a limit, across calls. Further ones are counted together,
// unless they have a name already.
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
