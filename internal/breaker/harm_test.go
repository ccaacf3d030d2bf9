package breaker_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/redisx"
	"fanfare/test/backends"
)

func goneStaysGone(t *testing.T, b *backends.Backend) {
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

func showsItsState(t *testing.T, b *backends.Backend) {
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

func wrongTypeIsNamed(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r, ctx := f.replicas[0], t.Context()
	f.ok(f.rdb.Set(ctx, f.key(), "a string", 0).Err())
	_, err1 := r.Admit(ctx, f.list, "a", 1)
	_, err2 := r.Apply(ctx, f.list, breaker.Report{})
	_, err3 := r.State(ctx, f.list)
	for _, err := range []error{
		err1, err2, err3, r.Reset(ctx, f.list), r.PausePlatform(ctx, f.list, "ios", "x"), r.Extend(ctx, f.list, "a"),
	} {
		if wrong, ok := errors.AsType[*redisx.TypeError](err); !ok || *wrong != (redisx.TypeError{Key: f.key(), Holds: "string", Want: "hash"}) {
			t.Errorf("error %v, want one that names the key", err)
		}
	}
	wantEqual(t, "value", f.rdb.Get(ctx, f.key()).Val(), "a string")
}

func nonsenseIsRefused(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r, ctx := f.replicas[0], t.Context()
	_, err1 := r.Admit(ctx, f.list, "", 1)
	_, err2 := r.Admit(ctx, f.list, "a", 0)
	if err1 == nil || err2 == nil {
		t.Errorf("admitted no one: %v, %v", err1, err2)
	}
	if err := r.Confirm(ctx, f.list, &breaker.Trip{}); err == nil {
		t.Error("confirmed what was reported to no one")
	}
	for name, report := range map[string]breaker.Report{
		"kind":    {Answers: map[breaker.Answer]int64{{Kind: "odd"}: 1}},
		"answers": {Answers: map[breaker.Answer]int64{{Kind: breaker.Accepted}: -1}},
		"silence": {Outage: breaker.Outage{Kind: breaker.Unanswered, Count: 3, Of: 2}},
		"answer":  {Outage: breaker.Outage{Kind: breaker.Accepted, Count: 2, Of: 2}},
		"number":  {Outage: breaker.Outage{Kind: breaker.Unanswered, Count: -1, Of: 2}},
		"ended":   {Ended: map[string]int64{"a": -1}},
	} {
		if _, err := r.Apply(ctx, f.list, report); err == nil {
			t.Errorf("a report with an odd %s was taken", name)
		}
	}
	f.ok(f.rdb.HSet(ctx, f.key(), "round", "first").Err())
	if _, err := r.State(ctx, f.list); err == nil || !strings.Contains(err.Error(), `"round"`) || !strings.Contains(err.Error(), "delete the key") {
		t.Errorf("a round that is no number: %v", err)
	}
}

// oddPlatformIsUnknown counts an answer, whatever the platform is called: it comes from a producer.
func oddPlatformIsUnknown(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	report := breaker.Report{Round: r.admit("a", 10).Round}
	for i, name := range []string{"a:b", "i%OS", strings.Repeat("x", 33), "", "*", "ä", " ", "-", ".", "Web"} {
		report.Add(breaker.Answer{Kind: breaker.ThirdPartyAuth, Platform: name}, 1)
		report.EndClaim("a", 1)
		wantEqual(t, "answers", len(report.Answers), i+1)
	}
	v := r.conclude(report)
	if v.Trip == nil || v.Trip.Scope != breaker.Campaign || v.Trip.Count != 10 {
		t.Errorf("trip %+v, want one of the campaign", v.Trip)
	}
}

// manyPlatforms keeps the breaker small when an audience names something else where platforms
// belong.
func manyPlatforms(t *testing.T, b *backends.Backend) {
	o := options()
	o.Canary = 0
	f := open(t, b, 1, o)
	r := f.replicas[0]
	round := r.admit("a", 1).Round
	for i := range 20 {
		report := breaker.Report{Round: round}
		for j := range 50 {
			report.Add(breaker.Answer{Kind: breaker.Accepted, Platform: fmt.Sprintf("model_%d_%d", i, j)}, 1)
			report.EndClaim("a", 1)
		}
		r.conclude(report)
	}
	wantEqual(t, "answers", f.state().Shares[0], breaker.Share{Kind: breaker.Accepted, Count: 1000, Of: 1000})
	if n := f.rdb.HLen(t.Context(), f.key()).Val(); n > 50 {
		t.Errorf("the breaker has %d fields", n)
	}
}

// longestCanary passes although each of its admissions has a lease of its own.
func longestCanary(t *testing.T, b *backends.Backend) {
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
	r.conclude(breaker.Report{Round: round, Answers: map[breaker.Answer]int64{{Kind: breaker.Accepted}: 5000}})
	wantEqual(t, "passed", f.state().Canary, breaker.Canary{Size: 5000, Answered: 5000, Passed: true})
}

func outlivesNothing(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	f.pass(10)
	if ttl := f.rdb.PTTL(t.Context(), f.key()).Val(); ttl <= 0 || ttl > 7*24*time.Hour {
		t.Errorf("a breaker expires in %s", ttl)
	}
}
