package queue_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func (f fixture) save(all ...queue.Progress) int {
	f.Helper()
	saved, err := f.SaveProgress(f.Context(), all)
	if err != nil {
		f.Fatalf("save progress: %v", err)
	}
	return saved
}

func progress(l queue.Lease, pos, attempts int, state string) queue.Progress {
	return queue.Progress{Claim: l.Claim, Pos: pos, Attempts: attempts, State: state}
}

// checkProgress checks what a claim hands out of one element.
func (f fixture) checkProgress(when string, e queue.Element, raw string, attempts int, state string, lost int) {
	f.Helper()
	if string(e.Raw) != raw || e.Attempts != attempts || e.Progress != state || e.Lost != lost {
		f.Errorf("%s: %q after %d attempts, progress %q, lost %d; want %q, %d, %q, %d",
			when, e.Raw, e.Attempts, e.Progress, e.Lost, raw, attempts, state, lost)
	}
}

// What is saved stays with the element: through a repeated claim, a loss, a return, a retry and
// another saving. The element stays leased, keeps its id and its first claim, and ends once.
func keepsProgress(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a", "b", "c")
	l := f.claim(3)
	id, since := l.Elements[1].ID, l.Elements[1].Since
	wantEqual(t, "saved", f.save(progress(l, 2, 1, "one"), progress(l, 3, 9, "other")), 2)
	wantEqual(t, "saved again", f.save(progress(l, 2, 2, "two;of;b")), 1)
	wantEqual(t, "in flight", f.counts().InFlight, 3)

	same := f.claimAs(l.Claim, 3)
	f.checkProgress("in a repeated claim, without progress", same.Elements[0], "a", 0, "", 0)
	f.checkProgress("in a repeated claim", same.Elements[1], "b", 2, "two;of;b", 0)

	f.expire(l.Claim)
	f.reap()
	l = f.claim(3)
	f.checkProgress("lost, without progress", l.Elements[0], "a", 0, "", 1)
	f.checkProgress("lost", l.Elements[1], "b", 2, "two;of;b", 1)
	f.checkProgress("lost", l.Elements[2], "c", 9, "other", 1)
	wantEqual(t, "id", l.Elements[1].ID, id)
	if !l.Elements[1].Since.Equal(since) {
		t.Errorf("first claimed at %s, want %s", l.Elements[1].Since, since)
	}

	f.save(progress(l, 2, 3, "three"))
	f.giveBack(l.Claim)
	l = f.claim(3)
	f.checkProgress("given back", l.Elements[1], "b", 3, "three", 1)

	f.settle(sent(l.Claim, 1, "a"), sent(l.Claim, 3, "c"),
		queue.Settlement{Claim: l.Claim, Pos: 2, Later: true, Attempts: 4, Progress: "four"})
	f.fallDue()
	l = f.claim(3)
	f.checkProgress("deferred", l.Elements[0], "b", 4, "four", 1)
	wantEqual(t, "id", l.Elements[0].ID, id)

	f.settle(queue.Settlement{Claim: l.Claim, Pos: 1, Later: true, Attempts: 5})
	f.fallDue()
	l = f.claim(3)
	f.checkProgress("deferred without progress", l.Elements[0], "b", 5, "", 1)
	f.settle(endAll(l)...)
	wantSame(t, "outbox", f.outbox(), []string{"a", "b", "c"})
	wantEqual(t, "sent", f.counts().Ended["sent"], 3)
}

// Settled elements and those of a lost or unknown lease are left alone, and no trace is left.
func savesNothingThatIsNotLeased(t *testing.T, b *backends.Backend) {
	f := open(t, b, queue.Options{})
	f.push("a", "b")
	lost := f.claim(2)
	f.settle(sent(lost.Claim, 1, "a"))
	wantEqual(t, "saved of a settled element", f.save(progress(lost, 1, 1, "x"), progress(lost, 2, 1, "y"), progress(lost, 3, 1, "z")), 1)
	f.expire(lost.Claim)
	f.reap()
	before := f.dump()
	wantEqual(t, "saved of a lost lease", f.save(progress(lost, 2, 2, "z"), queue.Progress{Claim: "never", Pos: 1, State: "x"}), 0)
	if after := f.dump(); after != before {
		t.Errorf("from %s\n  to %s", before, after)
	}
	f.checkProgress("after all", f.claim(1).Elements[0], "b", 1, "y", 1)
}

// A progress finishes the move that was cut before it: the copies of an element are compared.
func TestProgressFinishesACutRelease(t *testing.T) {
	f := onMini(t, queue.Options{Lease: time.Minute})
	f.push("a", "b")
	l := f.claim(2)
	f.giveBack(l.Claim)
	back := f.claimAs("cut", 2)
	f.rdb.LPush(t.Context(), f.list.Key("back"), back.Elements[1].ID+" 0 0 "+millis(back.Elements[1].Since)+" b")
	f.set("journal", "release all cut")
	wantEqual(t, "saved", f.save(progress(back, 1, 1, "x")), 0)
	wantSame(t, "everywhere", f.everywhere(), []string{"a", "b"})
}

func TestProgressIsChecked(t *testing.T) {
	f := onMini(t, queue.Options{})
	for problem, p := range map[string]queue.Progress{
		"no claim":         {Pos: 1, State: "x"},
		"invalid position": {Claim: "c", State: "x"},
		"no state":         {Claim: "c", Pos: 1},
		"white space":      {Claim: "c", Pos: 1, State: "x y"},
	} {
		if _, err := f.SaveProgress(t.Context(), []queue.Progress{p}); err == nil || !strings.Contains(err.Error(), problem) {
			t.Errorf("%+v: %v, want %q", p, err, problem)
		}
	}
	later := queue.Settlement{Claim: "c", Pos: 1, Later: true, Progress: "x y"}
	if _, err := f.Settle(t.Context(), []queue.Settlement{later}); err == nil || !strings.Contains(err.Error(), "white space") {
		t.Errorf("%+v: %v", later, err)
	}
}

func millis(at time.Time) string { return strconv.FormatInt(at.UnixMilli(), 10) }
