package breaker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"pgregory.net/rapid"

	"fanfare/internal/breaker"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// Each kind trips at its threshold and one answer below does not, after a canary.
func TestThresholds(t *testing.T) {
	b := backends.OpenMiniredis(t)
	for _, c := range []struct {
		kind     breaker.Kind
		personal bool
		accepted int64
		trips    int64 // at so many; 0: never
		scope    breaker.Scope
		says     string
	}{
		{kind: breaker.Credentials, accepted: 1000, trips: 1, scope: breaker.Project, says: "service account"},
		{kind: breaker.BadMessage, accepted: 1000, trips: 3, scope: breaker.Campaign, says: "correct the message (fanfare campaign set ID --message FILE), then"},
		{kind: breaker.BadMessage, accepted: 98, personal: true, trips: 5, scope: breaker.Campaign, says: "values that fill it"},
		{kind: breaker.BadMessage, accepted: 980, personal: true, trips: 20, scope: breaker.Campaign, says: "(2.0%)"},
		{kind: breaker.NotFound, accepted: 190, trips: 10, scope: breaker.Campaign, says: "endpoint"},
		{kind: breaker.SenderMismatch, accepted: 0, trips: 20, scope: breaker.Campaign, says: "another Firebase project"},
		{kind: breaker.SenderMismatch, accepted: 900, trips: 100, scope: breaker.Campaign, says: "100 of 1000 answers"},
		{kind: breaker.ThirdPartyAuth, accepted: 190, trips: 10, scope: breaker.Campaign, says: "APNs"},
		{kind: breaker.BadTarget, accepted: 400, trips: 100, scope: breaker.Campaign, says: "tokens are complete"},
		{kind: breaker.Unregistered, accepted: 50, trips: 100, scope: breaker.Campaign, says: "how old the audience is"},
		{kind: breaker.Unregistered, accepted: 300, trips: 300, scope: breaker.Campaign, says: "(50.0%)"},
		{kind: breaker.Other, accepted: 80, trips: 20, scope: breaker.Campaign, says: "no rule knows"},
		{kind: breaker.Neutral, accepted: 1},
		{kind: breaker.Accepted, accepted: 1},
	} {
		for _, n := range []int64{c.trips - 1, c.trips} {
			if c.trips == 0 {
				n = 100_000
			}
			o := options()
			o.Canary = 0
			f := open(t, b, 1, o)
			round := f.replicas[0].admit("a", 1).Round
			v := f.replicas[0].conclude(breaker.Report{Round: round, Personal: c.personal, Answers: map[breaker.Answer]int64{
				{Kind: breaker.Accepted, Platform: "android"}: c.accepted, {Kind: c.kind}: max(n, 0),
			}})
			wantEqual(t, string(c.kind)+" trips", v.Trip != nil, n == c.trips)
			if v.Trip != nil && (v.Trip.Scope != c.scope || v.Trip.Kind != c.kind || v.Trip.Count != n || !strings.Contains(v.Trip.Reason, c.says)) {
				t.Errorf("%d of %s: trip %+v", n, c.kind, v.Trip)
			}
		}
	}
}

// A platform that few people use does not hide behind the others, and answers of unknown platform
// are no proof against it.
func TestPlatformsAreJudgedByThemselves(t *testing.T) {
	b := backends.OpenMiniredis(t)
	type count = map[breaker.Answer]int64
	refused := func(platform string) breaker.Answer {
		return breaker.Answer{Kind: breaker.ThirdPartyAuth, Platform: platform}
	}
	android := breaker.Answer{Kind: breaker.Accepted, Platform: "android"}
	for name, c := range map[string]struct {
		answers count
		scope   breaker.Scope
	}{
		"a rare platform":          {count{android: 10_000, refused("ios"): 10}, breaker.Platform},
		"hardly any of a platform": {count{{Kind: breaker.Accepted, Platform: "ios"}: 200, refused("ios"): 10}, ""},
		"only refusals have one":   {count{{Kind: breaker.Accepted}: 10_000, refused("ios"): 10}, ""},
		"many of them":             {count{{Kind: breaker.Accepted}: 100, refused("ios"): 10}, breaker.Platform},
		"two of them":              {count{{Kind: breaker.Accepted}: 100, refused("ios"): 6, refused("webpush"): 6}, breaker.Campaign},
		"none named":               {count{android: 100, refused(""): 10}, breaker.Campaign},
	} {
		o := options()
		o.Canary = 0
		f := open(t, b, 1, o)
		v := f.replicas[0].conclude(breaker.Report{Round: f.replicas[0].admit("a", 1).Round, Answers: c.answers})
		var got breaker.Scope
		if v.Trip != nil {
			got = v.Trip.Scope
		}
		wantEqual(t, name, got, c.scope)
	}
}

// What is below every share trips nothing, in whatever order and however often it is told; and one
// kind above does.
func TestSharesDecide(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	o := breaker.DefaultOptions()
	o.Canary = 0
	kinds := []breaker.Kind{breaker.NotFound, breaker.SenderMismatch, breaker.BadTarget, breaker.Unregistered, breaker.Other}
	rapid.Check(t, func(rt *rapid.T) {
		f := openOn(rt, rdb, rdb, queue.NewID(), 1, o)
		r := f.replicas[0]
		round := r.admit("a", 1).Round
		counts, all := map[breaker.Kind]int64{}, int64(0)
		for range rapid.IntRange(1, 8).Draw(rt, "reports") {
			kind := rapid.SampledFrom(append(kinds, breaker.Accepted)).Draw(rt, "kind")
			n := rapid.Int64Range(1, 150).Draw(rt, "answers")
			counts[kind] += n
			all += n
			v := r.conclude(breaker.Report{Round: round, Answers: map[breaker.Answer]int64{{Kind: kind}: n}})
			above := false
			for _, k := range kinds {
				limit := o.Thresholds[k]
				above = above || counts[k] >= limit.Least && float64(counts[k])/float64(all) >= limit.Share
			}
			if (v.Trip != nil) != above {
				rt.Fatalf("trip %+v after %v of %d", v.Trip, counts, all)
			}
			if above {
				return
			}
		}
	})
}

// A minute after they came, answers are forgotten; up to 50 seconds, none is.
func TestWindowForgets(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	o := breaker.DefaultOptions()
	o.Canary = 0
	rapid.Check(t, func(rt *rapid.T) {
		start := time.UnixMilli(rapid.Int64Range(1_700_000_000_000, 1_700_000_020_000).Draw(rt, "start"))
		server.SetTime(start)
		f := openOn(rt, rdb, rdb, queue.NewID(), 1, o)
		r := f.replicas[0]
		round := r.admit("a", 1).Round
		tell := func() breaker.Decision {
			return r.conclude(breaker.Report{Round: round, Answers: map[breaker.Answer]int64{{Kind: breaker.SenderMismatch}: 19}})
		}
		wantEqual(rt, "tripped by the first", tell().Trip != nil, false)
		later := time.Duration(rapid.IntRange(0, 90_000).Draw(rt, "ms")) * time.Millisecond
		server.SetTime(start.Add(later))
		v := tell()
		if later < 50*time.Second && v.Trip == nil {
			rt.Fatalf("forgotten after %s", later)
		}
		if later >= time.Minute && v.Trip != nil {
			rt.Fatalf("remembered after %s", later)
		}
	})
}

// What proves nothing, and pushes without an answer, are no part of a share after the canary
// either.
func TestNeutralAnswersDiluteNoShare(t *testing.T) {
	b := backends.OpenMiniredis(t)
	for _, kind := range []breaker.Kind{breaker.Neutral, breaker.Unanswered} {
		f := open(t, b, 1, options())
		r := f.replicas[0]
		a := f.pass(10)
		r.conclude(answer(a, "x", 45, kind))
		v := r.conclude(answer(a, "x", 20, breaker.BadTarget)) // 20 of the 30 that prove something
		if v.Trip == nil || v.Trip.Kind != breaker.BadTarget || v.Trip.Count != 20 || v.Trip.Of != 30 {
			t.Errorf("%s: trip %+v, want one for 20 of 30", kind, v.Trip)
		}
	}
}

// FCM's answers of the last minute do not hide that something else answers now.
func TestAnotherEndpointAfterFCM(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	for kind, scope := range map[breaker.Kind]breaker.Scope{breaker.WrongEndpoint: breaker.Project, breaker.Unanswered: breaker.Campaign} {
		server.SetTime(began)
		f := openOn(t, rdb, rdb, queue.NewID(), 1, options())
		r := f.replicas[0]
		a := f.pass(10)
		r.conclude(answer(a, "x", 100, breaker.Accepted))
		server.SetTime(began.Add(10 * time.Second))
		v := r.conclude(answer(a, "x", 60, kind))
		if v.Trip == nil || v.Trip.Kind != kind || v.Trip.Scope != scope || v.Trip.Count != 60 || v.Trip.Of != 60 {
			t.Errorf("trip %+v, want one of the %s for 60 of 60 %s", v.Trip, scope, kind)
		}
	}
}
