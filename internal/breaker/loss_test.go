package breaker_test

import (
	"strings"
	"testing"

	"fanfare/internal/breaker"
	"fanfare/internal/queue"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// wholeLife takes a campaign through everything, over a line that may lose replies.
func wholeLife(t *testing.T, f *fixture) {
	t.Helper()
	r := f.replicas[0]
	a := r.admit("a", 10)
	wantEqual(t, "admitted", a.N, 10)
	r.conclude(answer(a, "a", 2, breaker.Accepted))
	f.ok(r.Extend(t.Context(), f.list, "a"))
	unsent := breaker.Report{Round: a.Round}
	unsent.EndClaim("a", 3)
	r.conclude(unsent)
	wantEqual(t, "answered", f.number("proofs"), 2)
	wantEqual(t, "given back", r.admit("b", 10).N, 3)
	r.conclude(answer(a, "b", 3, breaker.Accepted))
	r.conclude(answer(a, "a", 5, breaker.Accepted))
	r.leap()
	wantEqual(t, "admitted after the canary", r.admit("c", 70).N, 70)
	v := r.conclude(answer(a, "c", 70, breaker.NotFound))
	if v.Trip == nil || v.Trip.Count != 70 || v.Trip.Of != 80 {
		t.Fatalf("trip %+v, want one of 70 in 80", v.Trip)
	}
	wantEqual(t, "told again", r.conclude(breaker.Report{}).Trip != nil, false)
	f.expire("trip_until")
	v = r.conclude(breaker.Report{})
	wantEqual(t, "told once more when no one acted", v.Trip != nil, true)
	f.ok(r.Confirm(t.Context(), f.list, v.Trip))
	f.ok(r.Reset(t.Context(), f.list))
	f.expire("opens")
	again := r.admit("d", 20)
	wantEqual(t, "admitted again", again.N, 10)
	report := breaker.Report{Round: again.Round, Answers: map[breaker.Answer]int64{{Kind: breaker.ThirdPartyAuth, Platform: "ios"}: 10}}
	v = r.conclude(report)
	if v.Trip == nil || v.Trip.Scope != breaker.Platform {
		t.Fatalf("trip %+v, want one of ios", v.Trip)
	}
	wantEqual(t, "answered of the paused", f.number("proofs"), 0)
}

// lostRepliesCountOnce lives as often as there are replies to lose, losing another one each time.
func lostRepliesCountOnce(t *testing.T, b *backends.Backend) {
	// All campaigns share a hash tag, so one node serves them and knows their scripts after the
	// first run.
	live := func(id string) { wholeLife(t, openOn(t, b.Lossy, b.Redis, "{lossy}"+id, 1, options())) }
	live("warm")
	b.Lose(t, never)
	live("sound")
	scripts, _ := b.CountScripts()
	if scripts < 15 {
		t.Fatalf("the proxy saw %d scripts of a whole life", scripts)
	}
	for n := range scripts {
		b.Lose(t, servers.Nth(n+1))
		live(strings.Repeat("x", n+1))
		if _, lost := b.CountScripts(); lost != 1 {
			t.Errorf("of reply %d, %d were lost, want 1", n+1, lost)
		}
	}
}

// noRepliesCountOnce lets the client's repetitions fail too: what was told is told again with what
// comes next.
func noRepliesCountOnce(t *testing.T, b *backends.Backend) {
	o := options()
	o.Canary = 1000
	f := openOn(t, b.Lossy, b.Redis, "silent", 1, o)
	r := f.replicas[0]
	a := r.admit("a", 900)
	r.conclude(answer(a, "a", 10, breaker.Accepted))
	for range 3 {
		b.Lose(t, servers.EveryNth(1))
		if _, err := r.Apply(t.Context(), f.list, answer(a, "a", 10, breaker.Accepted)); err == nil {
			t.Fatal("no error without a reply")
		}
		b.Lose(t, nil)
	}
	wantEqual(t, "answered", f.number("proofs"), 20)
	r.conclude(answer(a, "a", 10, breaker.Accepted))
	wantEqual(t, "answered", f.number("proofs"), 50)
	wantEqual(t, "outstanding", f.state().Canary.Outstanding, 850)

	b.Lose(t, servers.EveryNth(1))
	if _, err := r.Apply(t.Context(), f.list, answer(a, "a", 10, breaker.BadMessage)); err == nil {
		t.Fatal("no error without a reply")
	}
	b.Lose(t, nil)
	wantEqual(t, "told of what was wrong then", r.conclude(answer(a, "a", 10, breaker.Accepted)).Trip != nil, true)
}

// resetRepeated resets once although the client sends it twice, with an admission in between.
func resetRepeated(t *testing.T, b *backends.Backend) {
	f := openOn(t, b.Lossy, b.Redis, "{reset}"+queue.NewID(), 1, options())
	other := f.join(b.Redis, options())
	f.ok(f.replicas[0].Reset(t.Context(), f.list)) // from here on the script is known
	other.admit("old", 10)
	var admitted breaker.Admission
	b.Lose(t, func(n int, _ []string) bool {
		if n == 2 {
			admitted = other.admit("new", 10)
		}
		return n == 1
	})
	f.ok(f.replicas[0].Reset(t.Context(), f.list))
	wantEqual(t, "admitted", admitted.N, 10)
	wantEqual(t, "round is over", other.conclude(answer(admitted, "new", 5, breaker.Accepted)).Tripped, false)
	wantEqual(t, "answered", f.state().Canary.Answered, 5)
}

// If two replicas find a trip without action, one takes it over.
func TestTripIsTakenOverByOne(t *testing.T) {
	b := backends.OpenMiniredis(t)
	l := &line{UniversalClient: b.Redis}
	f := open(t, b, 2, options())
	late := f.join(l, options())
	f.replicas[0].conclude(answer(f.replicas[0].admit("a", 5), "a", 5, breaker.BadMessage))
	f.expire("trip_until")
	var quicker breaker.Decision
	scripts := 0
	l.before = func() {
		if scripts++; scripts == 2 { // after it has asked
			quicker = f.replicas[1].conclude(breaker.Report{})
		}
	}
	v := late.conclude(breaker.Report{})
	wantEqual(t, "the quicker one is told", quicker.Trip != nil, true)
	wantEqual(t, "the late one is told", v.Trip != nil, false)
	wantEqual(t, "tripped", v.Tripped, true)
}

// A late pass of another round admits no one.
func TestPassOfAnotherRound(t *testing.T) {
	b := backends.OpenMiniredis(t)
	l := &line{UniversalClient: b.Redis}
	f := open(t, b, 1, options())
	late := f.join(l, options())
	a := late.admit("a", 10)
	scripts := 0
	l.before = func() {
		if scripts++; scripts == 2 { // after the report
			f.ok(f.replicas[0].Reset(t.Context(), f.list))
			f.replicas[0].admit("b", 10)
			f.ok(f.rdb.HSet(t.Context(), f.key(), "proofs", 10, "canary:bad_message:", 10).Err())
		}
	}
	v := late.conclude(answer(a, "a", 10, breaker.Accepted))
	wantEqual(t, "scripts", scripts, 2)
	wantEqual(t, "round is over", v.Tripped, true)
	wantEqual(t, "passed", f.state().Canary.Passed, false)
}

// A Redis that is full and must not evict still evaluates.
func TestFullRedisJudges(t *testing.T) {
	b := backends.OpenRedis(t)
	f := open(t, b, 1, options())
	wholeLife(t, f)
	f.ok(f.rdb.Del(t.Context(), f.key()).Err())
	b.Fill(t)
	f.replicas[0].leap()
	wholeLife(t, f)
}
