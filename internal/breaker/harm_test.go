package breaker_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/queue"
	"fanfare/test/servers"
)

func goneStaysGone(t *testing.T, b *backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	a := r.admit("a", 5)
	f.ok(f.rdb.Del(t.Context(), f.key()).Err())
	v := r.conclude(answer(a, "a", 5, breaker.BadMessage))
	wantEqual(t, "tripped", v.Tripped, true)
	wantEqual(t, "told", v.Trip != nil, false)
	f.ok(r.Extend(t.Context(), f.list, "a"))
	wantEqual(t, "known", f.state().Known, false)
	wantEqual(t, "keys", f.rdb.Exists(t.Context(), f.key()).Val(), 0)
}

func showsItsState(t *testing.T, b *backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	wantEqual(t, "known before it begins", f.state().Known, false)
	a := r.admit("a", 8)
	r.conclude(answer(a, "a", 4, breaker.Accepted))
	r.conclude(answer(a, "a", 1, breaker.Unregistered))
	r.conclude(answer(a, "a", 1, breaker.Neutral))
	s := f.state()
	wantEqual(t, "canary", s.Canary, breaker.Canary{Size: 10, Answered: 5, Outstanding: 2})
	want := []breaker.Share{
		{Kind: breaker.Accepted, Count: 4, Of: 5},
		{Kind: breaker.Unregistered, Count: 1, Of: 5, Limit: breaker.Threshold{Share: 0.5, Least: 100}},
		{Kind: breaker.Neutral, Count: 1, Of: 5},
	}
	if len(s.Shares) != len(want) {
		t.Fatalf("shares %+v, want %+v", s.Shares, want)
	}
	for i := range want {
		wantEqual(t, "share", s.Shares[i], want[i])
	}
	r.conclude(answer(a, "a", 2, breaker.Accepted))
	f.pass(3)
	wantEqual(t, "canary", f.state().Canary, breaker.Canary{Size: 10, Answered: 10, Passed: true})
}

func wrongTypeIsNamed(t *testing.T, b *backend) {
	f := open(t, b, 1, options())
	r, ctx := f.replicas[0], t.Context()
	f.ok(f.rdb.Set(ctx, f.key(), "a string", 0).Err())
	_, err1 := r.Admit(ctx, f.list, "a", 1)
	_, err2 := r.Conclude(ctx, f.list, breaker.Tally{})
	_, err3 := r.State(ctx, f.list)
	for _, err := range []error{
		err1, err2, err3, r.Reset(ctx, f.list), r.PausePlatform(ctx, f.list, "ios", "x"), r.Extend(ctx, f.list, "a"),
	} {
		if wrong, ok := errors.AsType[*queue.TypeError](err); !ok || *wrong != (queue.TypeError{Key: f.key(), Holds: "string", Want: "hash"}) {
			t.Errorf("error %v, want one that names the key", err)
		}
	}
	wantEqual(t, "value", f.rdb.Get(ctx, f.key()).Val(), "a string")
}

func nonsenseIsRefused(t *testing.T, b *backend) {
	f := open(t, b, 1, options())
	r, ctx := f.replicas[0], t.Context()
	_, err1 := r.Admit(ctx, f.list, "", 1)
	_, err2 := r.Admit(ctx, f.list, "a", 0)
	if err1 == nil || err2 == nil {
		t.Errorf("admitted nobody: %v, %v", err1, err2)
	}
	if err := r.Confirm(ctx, f.list, &breaker.Trip{}); err == nil {
		t.Error("confirmed what was told to nobody")
	}
	for name, tally := range map[string]breaker.Tally{
		"kind":    {Answers: map[breaker.Answer]int64{{Kind: "odd"}: 1}},
		"answers": {Answers: map[breaker.Answer]int64{{Kind: breaker.Accepted}: -1}},
		"ended":   {Ended: map[string]int64{"a": -1}},
	} {
		if _, err := r.Conclude(ctx, f.list, tally); err == nil {
			t.Errorf("a tally with an odd %s was taken", name)
		}
	}
	f.ok(f.rdb.HSet(ctx, f.key(), "round", "first").Err())
	if _, err := r.State(ctx, f.list); err == nil || !strings.Contains(err.Error(), `"round"`) {
		t.Errorf("a round that is no number: %v", err)
	}
}

// oddPlatformIsUnknown counts an answer, whatever the platform is called: it comes from a producer.
func oddPlatformIsUnknown(t *testing.T, b *backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	tally := breaker.Tally{Round: r.admit("a", 10).Round}
	for i, name := range []string{"a:b", "i%OS", strings.Repeat("x", 33), "", "*", "ä", " ", "-", ".", "Web"} {
		tally.Answered("a", breaker.Answer{Kind: breaker.ThirdPartyAuth, Platform: name})
		wantEqual(t, "answers", len(tally.Answers), i+1)
	}
	v := r.conclude(tally)
	if v.Trip == nil || v.Trip.Scope != breaker.Campaign || v.Trip.Count != 10 {
		t.Errorf("trip %+v, want one of the campaign", v.Trip)
	}
}

// manyPlatforms keeps the breaker small when an audience names something else where platforms belong.
func manyPlatforms(t *testing.T, b *backend) {
	o := options()
	o.Canary = 0
	f := open(t, b, 1, o)
	r := f.replicas[0]
	round := r.admit("a", 1).Round
	for i := range 20 {
		tally := breaker.Tally{Round: round}
		for j := range 50 {
			tally.Answered("a", breaker.Answer{Kind: breaker.Accepted, Platform: fmt.Sprintf("model_%d_%d", i, j)})
		}
		r.conclude(tally)
	}
	wantEqual(t, "answers", f.state().Shares[0], breaker.Share{Kind: breaker.Accepted, Count: 1000, Of: 1000})
	if n := f.rdb.HLen(t.Context(), f.key()).Val(); n > 50 {
		t.Errorf("the breaker has %d fields", n)
	}
}

// longestCanary passes although each of its admissions has a lease of its own.
func longestCanary(t *testing.T, b *backend) {
	o := options()
	o.Canary = 5000
	f := open(t, b, 1, o)
	r := f.replicas[0]
	round := r.admit("first", 1).Round
	pipe := f.rdb.Pipeline()
	for i := range o.Canary - 1 {
		pipe.HSet(t.Context(), f.key(), fmt.Sprint("lease:", i), "1 99999999999999")
	}
	_, err := pipe.Exec(t.Context())
	f.ok(err)
	wantEqual(t, "room", r.admit("next", 1).N, 0)
	r.conclude(breaker.Tally{Round: round, Answers: map[breaker.Answer]int64{{Kind: breaker.Accepted}: 5000}})
	wantEqual(t, "passed", f.state().Canary, breaker.Canary{Size: 5000, Answered: 5000, Passed: true})
}

func outlivesNothing(t *testing.T, b *backend) {
	f := open(t, b, 1, options())
	f.pass(10)
	if ttl := f.rdb.PTTL(t.Context(), f.key()).Val(); ttl <= 0 || ttl > 7*24*time.Hour {
		t.Errorf("a breaker expires in %s", ttl)
	}
}

// wholeLife takes a campaign through everything, over a line that may lose replies.
func wholeLife(t *testing.T, f *fixture) {
	t.Helper()
	r := f.replicas[0]
	a := r.admit("a", 10)
	wantEqual(t, "admitted", a.N, 10)
	r.conclude(answer(a, "a", 2, breaker.Accepted))
	f.ok(r.Extend(t.Context(), f.list, "a"))
	unsent := breaker.Tally{Round: a.Round}
	unsent.End("a", 3)
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
	wantEqual(t, "told again", r.conclude(breaker.Tally{}).Trip != nil, false)
	f.expire("trip_until")
	v = r.conclude(breaker.Tally{})
	wantEqual(t, "told once more when nobody acted", v.Trip != nil, true)
	f.ok(r.Confirm(t.Context(), f.list, v.Trip))
	f.ok(r.Reset(t.Context(), f.list))
	f.expire("opens")
	again := r.admit("d", 20)
	wantEqual(t, "admitted anew", again.N, 10)
	tally := breaker.Tally{Round: again.Round, Answers: map[breaker.Answer]int64{{Kind: breaker.ThirdPartyAuth, Platform: "ios"}: 10}}
	v = r.conclude(tally)
	if v.Trip == nil || v.Trip.Scope != breaker.Platform {
		t.Fatalf("trip %+v, want one of ios", v.Trip)
	}
	wantEqual(t, "answered of the paused", f.number("proofs"), 0)
}

// lostRepliesCountOnce lives as often as there are replies to lose, losing another one each time.
func lostRepliesCountOnce(t *testing.T, b *backend) {
	live := func(id string) { wholeLife(t, openOn(t, b.lossy, b.rdb, "lossy"+id, 1, options())) }
	live("warm")
	b.lose(t, never)
	live("sound")
	scripts, _ := b.proxy.Seen()
	if scripts < 15 {
		t.Fatalf("the proxy saw %d scripts of a whole life", scripts)
	}
	for n := range scripts {
		b.lose(t, servers.Nth(n+1))
		live(strings.Repeat("x", n+1))
		if _, lost := b.proxy.Seen(); lost != 1 {
			t.Errorf("of reply %d, %d were lost, want 1", n+1, lost)
		}
	}
}

// noRepliesCountOnce lets the client's repetitions fail too: what was told is told again with what comes next.
func noRepliesCountOnce(t *testing.T, b *backend) {
	o := options()
	o.Canary = 1000
	f := openOn(t, b.lossy, b.rdb, "silent", 1, o)
	r := f.replicas[0]
	a := r.admit("a", 900)
	r.conclude(answer(a, "a", 10, breaker.Accepted))
	for range 3 {
		b.lose(t, servers.EveryNth(1))
		if _, err := r.Conclude(t.Context(), f.list, answer(a, "a", 10, breaker.Accepted)); err == nil {
			t.Fatal("no error without a reply")
		}
		b.lose(t, nil)
	}
	wantEqual(t, "answered", f.number("proofs"), 20)
	r.conclude(answer(a, "a", 10, breaker.Accepted))
	wantEqual(t, "answered", f.number("proofs"), 50)
	wantEqual(t, "outstanding", f.state().Canary.Outstanding, 850)

	b.lose(t, servers.EveryNth(1))
	if _, err := r.Conclude(t.Context(), f.list, answer(a, "a", 10, breaker.BadMessage)); err == nil {
		t.Fatal("no error without a reply")
	}
	b.lose(t, nil)
	wantEqual(t, "told of what was wrong then", r.conclude(answer(a, "a", 10, breaker.Accepted)).Trip != nil, true)
}

// resetRepeated resets once although the client asks twice, and somebody is admitted in between.
func resetRepeated(t *testing.T, b *backend) {
	f := openOn(t, b.lossy, b.rdb, "{reset}"+queue.NewClaimID(), 1, options())
	other := f.join(b.rdb, options())
	f.ok(f.replicas[0].Reset(t.Context(), f.list)) // from here on the script is known
	other.admit("old", 10)
	var admitted breaker.Admission
	b.lose(t, func(n int, _ []string) bool {
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

// Of two who find that nobody has acted on a trip, one takes it over.
func TestTripIsTakenOverByOne(t *testing.T) {
	b := onMiniredis(t)
	l := &line{UniversalClient: b.rdb}
	f := open(t, b, 2, options())
	late := f.join(l, options())
	f.replicas[0].conclude(answer(f.replicas[0].admit("a", 5), "a", 5, breaker.BadMessage))
	f.expire("trip_until")
	var quicker breaker.Verdict
	scripts := 0
	l.before = func() {
		if scripts++; scripts == 2 { // after it has asked
			quicker = f.replicas[1].conclude(breaker.Tally{})
		}
	}
	v := late.conclude(breaker.Tally{})
	wantEqual(t, "the quicker one is told", quicker.Trip != nil, true)
	wantEqual(t, "the late one is told", v.Trip != nil, false)
	wantEqual(t, "tripped", v.Tripped, true)
}

// A pass that comes too late lets nobody through whom it was not about.
func TestPassOfAnotherRound(t *testing.T) {
	b := onMiniredis(t)
	l := &line{UniversalClient: b.rdb}
	f := open(t, b, 1, options())
	late := f.join(l, options())
	a := late.admit("a", 10)
	scripts := 0
	l.before = func() {
		if scripts++; scripts == 2 { // after the tally
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

// A Redis that is full and must not evict still judges.
func TestFullRedisJudges(t *testing.T) {
	b := single(t, "redis", servers.Redis(t, "--maxmemory-policy", "noeviction"))
	f := open(t, b, 1, options())
	wholeLife(t, f)
	f.ok(f.rdb.Del(t.Context(), f.key()).Err())
	f.ok(f.rdb.ConfigSet(t.Context(), "maxmemory", "1mb").Err())
	if err := f.rdb.Set(t.Context(), "more", strings.Repeat("x", 100), 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Fatalf("a write to a full Redis: %v, want OOM", err)
	}
	f.replicas[0].leap()
	wholeLife(t, f)
}

func TestOptionsRefused(t *testing.T) {
	for name, spoil := range map[string]func(*breaker.Options){
		"canary below 0":  func(o *breaker.Options) { o.Canary = -1 },
		"canary too long": func(o *breaker.Options) { o.Canary = 1_000_000 },
		"lease":           func(o *breaker.Options) { o.Lease = time.Millisecond },
		"share":           func(o *breaker.Options) { o.Thresholds[breaker.NotFound] = breaker.Threshold{Share: 1.1, Least: 1} },
		"share not a number": func(o *breaker.Options) {
			o.Thresholds[breaker.NotFound] = breaker.Threshold{Share: math.NaN(), Least: 1}
		},
		"least":      func(o *breaker.Options) { o.Thresholds[breaker.NotFound] = breaker.Threshold{Share: 0.1} },
		"impersonal": func(o *breaker.Options) { o.Impersonal.Least = 0 },
		"accepted":   func(o *breaker.Options) { o.Thresholds[breaker.Accepted] = breaker.Threshold{Least: 1} },
		"odd kind":   func(o *breaker.Options) { o.Thresholds["odd"] = breaker.Threshold{Least: 1} },
	} {
		o := breaker.DefaultOptions()
		spoil(&o)
		if _, err := breaker.New(nil, o); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := breaker.New(nil, breaker.DefaultOptions()); err != nil {
		t.Error(err)
	}
}
