package breaker_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

func tripsOnce(t *testing.T, b *backends.Backend) {
	const n = 8
	f := open(t, b, n, breaker.DefaultOptions())
	var mu sync.Mutex
	var trips []*breaker.Trip
	var tripped int
	var all sync.WaitGroup
	var round breaker.Admission
	for i, r := range f.replicas {
		round = r.admit(string(rune('a'+i)), 10)
	}
	for i, r := range f.replicas {
		all.Go(func() {
			v := r.conclude(answer(round, string(rune('a'+i)), 10, breaker.BadMessage))
			mu.Lock()
			defer mu.Unlock()
			if v.Trip != nil {
				trips = append(trips, v.Trip)
			}
			if v.Tripped {
				tripped++
			}
		})
	}
	all.Wait()
	if len(trips) != 1 || tripped != n {
		t.Fatalf("%d were told to act and %d that it tripped, want 1 and %d", len(trips), tripped, n)
	}
	trip := trips[0]
	wantEqual(t, "scope", trip.Scope, breaker.Campaign)
	wantEqual(t, "kind", trip.Kind, breaker.BadMessage)
	if !strings.Contains(trip.Reason, "in the canary (100.0%)") || !strings.Contains(trip.Reason, "correct the message") {
		t.Errorf("reason %q", trip.Reason)
	}
	s := f.state()
	wantEqual(t, "standing", s.Standing, true)
	wantEqual(t, "reason kept", s.Last.Reason, trip.Reason)
	f.ok(f.replicas[3].Confirm(t.Context(), f.list, trip))
	f.ok(f.replicas[3].Confirm(t.Context(), f.list, trip))
	wantEqual(t, "standing", f.state().Standing, false)
}

// A claim that trips the breaker gets no recipients: the canary has places left, and is over.
func tripsAtAClaim(t *testing.T, b *backends.Backend) {
	lax := options()
	lax.Thresholds, lax.Impersonal = nil, breaker.Threshold{Least: 1000}
	f := open(t, b, 1, lax)
	one := f.replicas[0]
	v := one.conclude(answer(one.admit("a", 5), "a", 5, breaker.BadMessage))
	wantEqual(t, "tripped by a replica that tolerates more", v.Tripped, false)
	a := f.join(b.Redis, options()).admit("b", 5)
	wantEqual(t, "trips", a.Trip != nil, true)
	wantEqual(t, "admitted", a.N, 0)
}

func tripIsTakenOver(t *testing.T, b *backends.Backend) {
	f := open(t, b, 3, options())
	dying, two, three := f.replicas[0], f.replicas[1], f.replicas[2]
	first := dying.conclude(answer(dying.admit("a", 5), "a", 5, breaker.BadMessage)).Trip
	wantEqual(t, "told", first != nil, true)
	other := two.admit("b", 5)
	wantEqual(t, "told another in time", other.Trip != nil, false)
	wantEqual(t, "admitted", other.N, 0)
	f.expire("trip_until")
	second := two.admit("b", 5).Trip
	third := three.conclude(breaker.Report{}).Trip
	if second == nil || third != nil {
		t.Fatalf("taken over: %v and %v, want one", second, third)
	}
	wantEqual(t, "reason", second.Reason, first.Reason)
	// Who was taken for dead confirms what is not its own any more.
	f.ok(dying.Confirm(t.Context(), f.list, first))
	wantEqual(t, "standing", f.state().Standing, true)
	f.ok(two.Confirm(t.Context(), f.list, second))
	wantEqual(t, "standing", f.state().Standing, false)
}

func tripStartsACanary(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	one, two := f.replicas[0], f.replicas[1]
	old := f.pass(10)
	two.admit("x", 50) // two trusts the canary too
	trip := one.conclude(answer(old, "x", 100, breaker.SenderMismatch)).Trip
	wantEqual(t, "told", trip != nil, true)
	f.ok(one.Confirm(t.Context(), f.list, trip))
	two.leap()
	wantEqual(t, "admitted while others may trust the old canary", two.admit("c", 50).N, 0)
	f.expire("opens")
	a := two.admit("d", 50)
	wantEqual(t, "admitted to the new canary", a.N, 10)

	// What was on the wire when it tripped proves nothing about the new round.
	v := one.conclude(answer(old, "x", 100, breaker.SenderMismatch))
	wantEqual(t, "told again", v.Trip != nil, false)
	wantEqual(t, "the old round is over", v.Tripped, true)
	one.conclude(answer(old, "x", 100, breaker.Accepted))
	wantEqual(t, "answered", f.state().Canary.Answered, 0)
	two.conclude(answer(a, "d", 10, breaker.Accepted))
	wantEqual(t, "passed", f.state().Canary.Passed, true)
}

func tripsAfterTheCanary(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	a := f.pass(10)
	wantEqual(t, "tripped below the least", r.conclude(answer(a, "x", 19, breaker.BadTarget)).Trip != nil, false)
	r.conclude(answer(a, "x", 200, breaker.Accepted))
	wantEqual(t, "tripped below the share", r.conclude(answer(a, "x", 20, breaker.BadTarget)).Trip != nil, false)
	v := r.conclude(answer(a, "x", 30, breaker.BadTarget))
	if v.Trip == nil || v.Trip.Count != 69 || v.Trip.Of != 279 || !strings.Contains(v.Trip.Reason, "69 of 279 answers in the last minute (24.7%)") {
		t.Errorf("trip %+v", v.Trip)
	}
}

func credentialsTripTheProject(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	a := f.pass(10)
	v := r.conclude(answer(a, "x", 1, breaker.Credentials))
	if v.Trip == nil || v.Trip.Scope != breaker.Project {
		t.Errorf("trip %+v, want one of the project", v.Trip)
	}
}

func platformTrips(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, breaker.DefaultOptions())
	one, two := f.replicas[0], f.replicas[1]
	a := one.admit("a", 100)
	refused := breaker.Answer{Kind: breaker.ThirdPartyAuth, Platform: "ios"}
	report := breaker.Report{Round: a.Round, Answers: map[breaker.Answer]int64{
		refused: 10, {Kind: breaker.Accepted, Platform: "android"}: 80,
	}}
	report.EndClaim("a", 90)
	v := one.conclude(report)
	if v.Trip == nil || v.Trip.Scope != breaker.Platform || v.Trip.Platform != "ios" || v.Trip.Of != 10 {
		t.Fatalf("trip %+v, want one of ios", v.Trip)
	}
	wantEqual(t, "round goes on", v.Tripped, false)
	wantEqual(t, "reason", v.Paused["ios"], v.Trip.Reason)
	f.ok(one.Confirm(t.Context(), f.list, v.Trip))

	// What the platform answers from now on is excused, and stands for nothing in the canary
	// either.
	late := breaker.Report{Round: a.Round, Answers: map[breaker.Answer]int64{refused: 500}}
	late.EndClaim("a", 10)
	v = two.conclude(late)
	wantEqual(t, "tripped again", v.Trip != nil || v.Tripped, false)
	wantEqual(t, "answered", f.state().Canary.Answered, 80)
	again := two.admit("b", 100)
	wantEqual(t, "admitted instead", again.N, 20)
	wantEqual(t, "admission knows", again.Paused["ios"] != "", true)
	two.conclude(answer(again, "b", 20, breaker.Accepted))
	wantEqual(t, "passed", f.state().Canary.Passed, true)
	two.leap()
	two.admit("c", 1)
	wantEqual(t, "known without asking", two.admit("d", 1).Paused["ios"] != "", true)
}

func platformPausedByHand(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	f.ok(r.PausePlatform(t.Context(), f.list, "webpush", " keys are being renewed\n"))
	f.pass(10)
	wantEqual(t, "known", r.admit("a", 1).Paused["webpush"], "keys are being renewed")
	f.ok(r.PausePlatform(t.Context(), f.list, "webpush", "still"))
	wantEqual(t, "again", r.admit("b", 1).Paused["webpush"], "still")
	wantEqual(t, "others", len(f.state().Paused), 1)
	for _, platform := range []string{"", "Web Push", strings.Repeat("x", 33)} {
		if r.PausePlatform(t.Context(), f.list, platform, "") == nil {
			t.Errorf("platform %q was taken", platform)
		}
	}
}

func resets(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	one, two := f.replicas[0], f.replicas[1]
	f.ok(one.Reset(t.Context(), f.list))
	wantEqual(t, "known", f.state().Known, false)
	old := f.pass(10)
	f.ok(one.PausePlatform(t.Context(), f.list, "ios", "x"))
	trip := one.conclude(answer(old, "x", 100, breaker.NotFound)).Trip
	wantEqual(t, "told", trip != nil, true)
	f.ok(two.Reset(t.Context(), f.list))
	s := f.state()
	wantEqual(t, "standing", s.Standing, false)
	wantEqual(t, "paused", len(s.Paused), 0)
	wantEqual(t, "last", s.Last.Reason, trip.Reason)
	f.expire("opens")
	one.leap()
	wantEqual(t, "admitted", one.admit("y", 50).N, 10)
	f.ok(one.Reset(t.Context(), f.list))
	wantEqual(t, "admitted at once, for the canary had not passed", two.admit("z", 50).N, 10)
}

// The winner of a trip has ten seconds to act, and the next canary waits for two.
func TestTripGivesTimeToAct(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	server.SetTime(began)
	f := openOn(t, rdb, rdb, queue.NewID(), 1, options())
	f.replicas[0].conclude(answer(f.pass(10), "x", 70, breaker.NotFound))
	wantEqual(t, "to act until", f.number("trip_until"), began.Add(10*time.Second).UnixMilli())
	wantEqual(t, "no canary before", f.number("opens"), began.Add(2*time.Second).UnixMilli())
}

// before is a hook that runs a function once, before a command that contains a text.
type before struct {
	text string
	run  func()
	once sync.Once
}

func (h *before) DialHook(next redis.DialHook) redis.DialHook { return next }

func (h *before) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, command redis.Cmder) error {
		if strings.Contains(command.String(), h.text) {
			h.once.Do(h.run)
		}
		return next(ctx, command)
	}
}

func (h *before) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// An operator resumes the campaign while a replica is about to trip its last round. The trip does
// not count.
func TestTripOfAnOldRoundIsLost(t *testing.T) {
	b := backends.OpenMiniredis(t)
	f := open(t, b, 1, options())
	ran := false
	slow := f.join(b.WithHook(t, &before{text: `"kind":"not_found"`, run: func() {
		f.ok(f.replicas[0].Reset(t.Context(), f.list))
		ran = true
	}}), options())
	a := slow.admit("a", 10)
	v := slow.conclude(answer(a, "a", 10, breaker.NotFound))
	if s := f.state(); !ran || v.Trip != nil || s.Standing {
		t.Errorf("resumed: %v; trip %+v, state %+v; want no trip", ran, v.Trip, s)
	}
}
