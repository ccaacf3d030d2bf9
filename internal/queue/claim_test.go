package queue_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func claimsInOrder(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{Lease: time.Minute})
	f.push("a", "b", "c", "d", "e")
	before := time.Now()
	first := f.claimAs("claim1", 3)
	second := f.claimAs("claim2", 3)

	wantList(t, "first claim", raws(first), []string{"a", "b", "c"})
	wantList(t, "second claim", raws(second), []string{"d", "e"})
	for i, e := range append(first.Elements, second.Elements...) {
		claim, pos := "claim1", i+1
		if i >= 3 {
			claim, pos = "claim2", i-2
		}
		wantEqual(t, "id", e.ID, fmt.Sprintf("%s:%d", claim, i+1))
		wantEqual(t, "position", e.Pos, pos)
		wantEqual(t, "attempts", e.Attempts, 0)
		wantEqual(t, "lost", e.Lost, 0)
		if e.Since.Before(first.Now) || e.Since.After(second.Now) {
			t.Errorf("element %s is since %s, want the server's time of its claim", e.ID, e.Since)
		}
	}
	if earliest := before.Add(time.Minute); first.Until.Before(earliest) || first.Until.After(time.Now().Add(time.Minute)) {
		t.Errorf("lease is until %s, want a minute from the call", first.Until)
	}
	wantEqual(t, "deadline", first.Deadline.IsZero(), true)
	wantEqual(t, "elements of a claim on an empty list", len(f.claim(1).Elements), 0)
	c := f.counts()
	wantEqual(t, "claimed", c.Claimed, 5)
	wantEqual(t, "in flight", c.InFlight, 5)
	wantEqual(t, "leases", f.rdb.ZCard(t.Context(), f.list.Key(keys.SuffixLeases)).Val(), 2)
}

func claimRepeated(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{Lease: time.Minute})
	f.push(numbered("u", 12)...)
	first := f.claim(5)
	f.settle(sent(first.Claim, 2, ""))
	again := f.claimAs(first.Claim, 5)

	want := append(first.Elements[:1:1], first.Elements[2:]...)
	wantEqual(t, "elements claimed again", fmt.Sprint(again.Elements), fmt.Sprint(want))
	wantEqual(t, "listed", f.counts().Listed, 7)

	f.expire(first.Claim)
	f.claimAs(first.Claim, 5)
	wantEqual(t, "reaped after a repeated claim, which has a whole lease", f.reap(), 0)
}

// These are more elements than the script reads at once and than Lua's stack takes in one call.
func claimsManyAtOnce(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	all := numbered("u", 6001)
	f.push(all...)
	lease := f.claim(6000)
	wantList(t, "claimed", raws(lease), all[:6000])
	wantList(t, "claimed again", raws(f.claimAs(lease.Claim, 6000)), all[:6000])
	wantEqual(t, "applied", f.settle(endAll(lease)...), 6000)
	wantSame(t, "outbox", f.outbox(), all[:6000])

	f.giveBack(f.claim(10).Claim)
	wantEqual(t, "back", f.counts().Back, 1)
}

func claimsUpToASize(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{ClaimBytes: 1000})
	all := make([]string, 6)
	for i := range all {
		all[i] = strings.Repeat(string(rune('a'+i)), 300)
	}
	all[3] = strings.Repeat("d", 5000)
	f.push(all...)
	wantList(t, "up to the size", raws(f.claim(10)), all[:3])
	wantList(t, "one that is longer by itself", raws(f.claim(10)), all[3:4])
	last := f.claim(10)
	wantList(t, "the rest", raws(last), all[4:])

	f.giveBack(last.Claim)
	f.push(all[:3]...)
	wantEqual(t, "elements from back and the list together", len(f.claim(10).Elements), 2)
}

func claimsOversize(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{MaxElement: 10})
	f.push(strings.Repeat("x", 10), strings.Repeat("y", 11))
	lease := f.claim(2)
	wantEqual(t, "10 of 10 bytes oversize", lease.Elements[0].Oversize, false)
	wantEqual(t, "11 of 10 bytes oversize", lease.Elements[1].Oversize, true)
	wantEqual(t, "bytes kept", len(lease.Elements[1].Raw), 11)
}

// A value that another program wrote into our list passes through all operations as an element
// does.
func claimsForeignValues(t *testing.T, b *backends.Backend) {
	for _, foreign := range []string{"no queue wrote this", "id 1 2 3", "id many 0 1 {}", "id 0 many 1 {}", "id 0 0 now {}", ""} {
		claimsForeignValue(t, open(t, b, queue.Options{}), foreign)
	}
}

func claimsForeignValue(t *testing.T, f fixture, foreign string) {
	t.Helper()
	if err := f.rdb.RPush(t.Context(), f.list.Key(keys.SuffixBack), foreign).Err(); err != nil {
		t.Fatal(err)
	}
	lease := f.claim(1)
	wantList(t, "claimed", raws(lease), []string{foreign})
	f.expire(lease.Claim)
	wantEqual(t, "reaped", f.reap(), 1)
	lease = f.claim(1)
	f.settle(queue.Settlement{Claim: lease.Claim, Pos: 1, Later: true})
	lease = f.claim(1)
	wantList(t, "claimed after a reap and a retry", raws(lease), []string{foreign})
	if lease.Elements[0].ID == "" {
		t.Error("it has no id")
	}
}

func claimsBehindAGate(t *testing.T, b *backends.Backend) {
	list, err := keys.Default().Campaign(queue.NewID())
	if err != nil {
		t.Fatal(err)
	}
	spec := list.Key(keys.SuffixSpec)
	q, err := queue.New(b.Redis, list, queue.Options{GateKey: spec, Gate: []queue.Field{{Name: "state", Value: "running"}, {Name: "edition"}}})
	if err != nil {
		t.Fatal(err)
	}
	f := fixture{tester: t, Queue: q, rdb: b.Redis, list: list}
	f.push("a", "b")

	for _, state := range []string{"", "paused"} {
		if state != "" {
			b.Redis.HSet(t.Context(), spec, "state", state)
		}
		_, err := f.Claim(t.Context(), "c", 1)
		closed, ok := errors.AsType[*queue.GateClosedError](err)
		if !ok || closed.Field != (queue.Field{Name: "state", Value: state}) {
			t.Errorf("claim behind a gate that holds %q: %v", state, err)
		}
	}
	b.Redis.HSet(t.Context(), spec, "state", "running")
	lease := f.claim(1)
	wantList(t, "through the open gate", raws(lease), []string{"a"})
	b.Redis.HSet(t.Context(), spec, "edition", "2")
	_, err = f.Claim(t.Context(), "c", 1)
	if closed, ok := errors.AsType[*queue.GateClosedError](err); !ok || closed.Field != (queue.Field{Name: "edition", Value: "2"}) {
		t.Errorf("claim behind a gate whose second field has changed: %v", err)
	}
	b.Redis.HSet(t.Context(), spec, "state", "paused")
	wantList(t, "repeated when the gate has closed", raws(f.claimAs(lease.Claim, 1)), []string{"a"})
}

// A claim, a repeated claim and an extension each last as long as the options say, by the server's
// clock.
func leasesLastAsLongAsTheyShould(t *testing.T, b *backends.Backend) {
	const length = 7 * time.Second
	f := open(t, b, queue.Options{Lease: length})
	f.push(numbered("u", 3)...)
	claim := queue.NewID()
	for _, c := range []struct {
		step string
		take func()
	}{
		{"claim", func() { f.claimAs(claim, 3) }},
		{"claim repeated", func() { f.claimAs(claim, 3) }},
		{"extend", func() {
			if lost, err := f.Extend(t.Context(), claim); err != nil || len(lost) != 0 {
				t.Fatalf("extend: lost %v, %v", lost, err)
			}
		}},
	} {
		f.expire(claim)
		before, here := f.now(), time.Now()
		c.take()
		after := f.now()
		score, err := f.rdb.ZScore(t.Context(), f.list.Key(keys.SuffixLeases), claim).Result()
		if err != nil {
			t.Fatal(err)
		}
		if ends := time.UnixMilli(int64(score)); ends.Before(before.Add(length)) || ends.After(after.Add(length)) {
			t.Errorf("%s: ends %s after the call, want %s", c.step, ends.Sub(before), length)
		}
		if until := f.claimAs(claim, 3).Until; until.Before(here.Add(length)) || until.After(time.Now().Add(length)) {
			t.Errorf("%s: is used until %s after the call, want %s", c.step, until.Sub(here), length)
		}
	}
}

// now returns the server's clock in whole milliseconds.
func (f fixture) now() time.Time {
	f.Helper()
	now, err := f.rdb.Time(f.Context()).Result()
	if err != nil {
		f.Fatalf("ask the time: %v", err)
	}
	return now.Truncate(time.Millisecond)
}

// A claim may be exactly as large as the limit.
func TestClaimsExactlyTheLimit(t *testing.T) {
	f := onMini(t, queue.Options{ClaimBytes: 10})
	f.push("aaaaa", "bbbbb", "c")
	wantList(t, "claimed", raws(f.claim(3)), []string{"aaaaa", "bbbbb"})
}
