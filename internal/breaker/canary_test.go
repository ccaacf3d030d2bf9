package breaker_test

import (
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/test/backends"
)

func canaryGoesAlone(t *testing.T, b *backends.Backend) {
	f := open(t, b, 3, options())
	wantEqual(t, "first", f.replicas[0].admit("a", 6).N, 6)
	wantEqual(t, "second", f.replicas[1].admit("b", 6).N, 4)
	wantEqual(t, "third", f.replicas[2].admit("c", 6).N, 0)
	wantEqual(t, "outstanding", f.state().Canary.Outstanding, 10)
}

func canaryPasses(t *testing.T, b *backends.Backend) {
	b.Lose(t, never)
	f := openOn(t, b.Lossy, b.Redis, "passes", 1, options())
	one, two := f.replicas[0], f.join(b.Redis, options())
	a, c := one.admit("a", 6), two.admit("c", 6)
	one.conclude(answer(a, "a", 6, breaker.Accepted))
	one.leap()
	wantEqual(t, "admitted before the canary is whole", one.admit("x", 5).N, 0)
	v := two.conclude(answer(c, "c", 4, breaker.Accepted))
	wantEqual(t, "tripped", v.Tripped || v.Trip != nil, false)
	wantEqual(t, "passed", f.state().Canary.Passed, true)
	one.leap()
	wantEqual(t, "admitted", one.admit("x", 500).N, 500)

	before, _ := b.CountScripts()
	for range 1000 {
		wantEqual(t, "admitted again", one.admit("y", 77).N, 77)
	}
	after, _ := b.CountScripts()
	wantEqual(t, "scripts of 1,000 admissions", after-before, 0)
	wantEqual(t, "round", one.admit("z", 1).Round, a.Round)
}

func admissionRepeated(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	wantEqual(t, "admitted", r.admit("a", 7).N, 7)
	wantEqual(t, "admitted again", r.admit("a", 9).N, 7)
	wantEqual(t, "left for others", r.admit("b", 9).N, 3)
}

func noCanary(t *testing.T, b *backends.Backend) {
	o := options()
	o.Canary = 0
	f := open(t, b, 1, o)
	r := f.replicas[0]
	a := r.admit("a", 1000)
	wantEqual(t, "admitted", a.N, 1000)
	v := r.conclude(answer(a, "a", 100, breaker.Unregistered))
	if v.Trip == nil || v.Trip.Kind != breaker.Unregistered {
		t.Errorf("trip %+v, want one without a canary too", v.Trip)
	}
}

func canaryGivesBack(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	one, two := f.replicas[0], f.replicas[1]
	a := one.admit("a", 10)
	unsent := breaker.Report{Round: a.Round}
	unsent.EndClaim("a", 3)
	one.conclude(unsent)
	wantEqual(t, "given back", two.admit("b", 10).N, 3)
	// More than there are ends the claim's own only.
	unsent.Ended["a"] = 50
	one.conclude(unsent)
	wantEqual(t, "given back in excess", two.admit("c", 50).N, 7)
}

func neutralProvesNothing(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	for range 5 {
		a := r.admit("a", 10)
		wantEqual(t, "admitted", a.N, 10)
		v := r.conclude(answer(a, "a", 10, breaker.Neutral))
		wantEqual(t, "tripped", v.Tripped || v.Trip != nil, false)
		r.leap()
	}
	s := f.state()
	wantEqual(t, "passed", s.Canary.Passed, false)
	wantEqual(t, "answered", s.Canary.Answered, 0)
	wantEqual(t, "share", s.Shares[0], breaker.Share{Kind: breaker.Neutral, Count: 50})
}

func crashedReplicaGivesBack(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	dead, alive := f.replicas[0], f.replicas[1]
	a := dead.admit("dead", 10)
	f.ok(dead.Extend(t.Context(), f.list, "dead", "never was"))
	wantEqual(t, "admitted while the lease lasts", alive.admit("a", 10).N, 0)
	f.expire("lease:")
	f.ok(dead.Extend(t.Context(), f.list, "dead"))
	wantEqual(t, "admitted when it is over", alive.admit("b", 8).N, 8)
	// It was only slow: what it sent proves as much as anything else.
	v := dead.conclude(answer(a, "dead", 10, breaker.Accepted))
	wantEqual(t, "tripped", v.Tripped, false)
	wantEqual(t, "passed", f.state().Canary.Passed, true)
}

// extensions move the end of a lease, in place of which the time could pass.
func TestExtendMovesTheLease(t *testing.T) {
	b := backends.OpenMiniredis(t)
	f := open(t, b, 1, options())
	f.replicas[0].admit("a", 10)
	f.ok(f.rdb.HSet(t.Context(), f.key(), "lease:a", "10 99999999999990").Err())
	f.ok(f.replicas[0].Extend(t.Context(), f.list, "a"))
	value := f.rdb.HGet(t.Context(), f.key(), "lease:a").Val()
	if value == "10 99999999999990" || value[:3] != "10 " {
		t.Errorf("extended to %q", value)
	}
}

// A replica that dies between its last report and the pass leaves the pass to the next one.
func canaryDecidedByAnother(t *testing.T, b *backends.Backend) {
	for _, c := range []struct {
		kind breaker.Kind
		want int
	}{{breaker.Accepted, 20}, {breaker.BadMessage, 0}} {
		f := openOn(t, b.Lossy, b.Redis, "{decided}"+string(c.kind), 1, options())
		dying, other := f.replicas[0], f.join(b.Redis, options())
		a := dying.admit("a", 10)
		b.Lose(t, func(n int, _ []string) bool { return n <= b.Attempts }) // the report's reply, and its repetitions'
		if _, err := dying.Apply(t.Context(), f.list, answer(a, "a", 10, c.kind)); err == nil {
			t.Error("no error without a reply")
		}
		b.Lose(t, nil)
		wantEqual(t, "passed", f.state().Canary.Passed, false)
		got := other.admit("b", 20)
		wantEqual(t, "admitted after "+string(c.kind), got.N, c.want)
		wantEqual(t, "told of a trip", got.Trip != nil, c.want == 0)
	}
}

func smallCanaryIsJudgedWhole(t *testing.T, b *backends.Backend) {
	for kind, trips := range map[breaker.Kind]bool{breaker.SenderMismatch: true, breaker.Accepted: false} {
		f := open(t, b, 1, options()) // of 10, where 20 would be needed
		r := f.replicas[0]
		a := r.admit("a", 10)
		v := r.conclude(answer(a, "a", 9, kind))
		wantEqual(t, "tripped by 9 of "+string(kind), v.Trip != nil, false)
		v = r.conclude(answer(a, "a", 1, kind))
		wantEqual(t, "tripped by 10 of "+string(kind), v.Trip != nil, trips)
		wantEqual(t, "passed", f.state().Canary.Passed, !trips)
	}
}

// A replica that has seen a canary pass does not let the rest through any more when the next canary
// starts elsewhere.
func TestTrustEndsBeforeTheNextCanary(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	f := openOn(t, rdb, rdb, "trust", 2, options())
	one, two := f.replicas[0], f.replicas[1]
	pass := func(d time.Duration) {
		one.ahead += d
		two.ahead += d
		server.SetTime(began.Add(one.ahead))
	}
	pass(0)
	a := one.admit("a", 10)
	one.conclude(answer(a, "a", 10, breaker.Accepted))
	wantEqual(t, "admitted by trust", two.admit("b", 50).N, 50)
	f.ok(one.Reset(t.Context(), f.list))
	const tick, wait = 100 * time.Millisecond, 2 * time.Second
	for waited := time.Duration(0); waited < wait; waited += tick {
		wantEqual(t, "admitted after "+waited.String(), one.admit("c", 50).N, 0)
		pass(tick)
	}
	wantEqual(t, "admitted to the next canary", one.admit("c", 50).N, 10)
	wantEqual(t, "admitted beyond it", two.admit("d", 50).N, 0)
}

// A replica forgets a campaign that no one has asked about for ten minutes, when another one comes.
func TestIdleCampaignsAreForgotten(t *testing.T) {
	for idle, want := range map[time.Duration]int{10 * time.Minute: 2, 10*time.Minute + 1: 1} {
		b := backends.OpenMiniredis(t)
		f := open(t, b, 1, options())
		r := f.replicas[0]
		r.admit("a", 1)
		r.ahead += idle
		other := open(t, b, 0, options())
		_, err := r.Admit(t.Context(), other.list, "b", 1)
		f.ok(err)
		wantEqual(t, "known after "+idle.String(), r.Known(), want)
	}
}

// Reports of one round add up; those of an older one count nowhere.
func TestTalliesOfRounds(t *testing.T) {
	report := breaker.Report{Round: 2}
	report.EndClaim("a", 1)
	for _, c := range []struct{ round, ended int64 }{{2, 2}, {1, 2}, {3, 1}} {
		other := breaker.Report{Round: c.round}
		other.EndClaim("a", 1)
		report.Merge(other)
		wantEqual(t, "ended", report.Ended["a"], c.ended)
	}
}
