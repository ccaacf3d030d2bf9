package breaker_test

import (
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/queue"
	"fanfare/test/backends"
	"fanfare/test/servers"
)

// silent is the report of a replica that has stopped because a run of its pushes got no answers.
func silent(a breaker.Admission, kind breaker.Kind, run int64) breaker.Report {
	t := breaker.Report{Round: a.Round, Outage: breaker.Outage{Kind: kind, Count: run, Of: run}}
	t.AddDetail(kind, "HTTP 503; really")
	return t
}

func unansweredKeepTheirPlaces(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	one, two := f.replicas[0], f.replicas[1]
	one.conclude(answer(one.admit("a", 4), "a", 4, breaker.Unanswered))
	wantEqual(t, "places left", two.admit("b", 10).N, 6)
	wantEqual(t, "places left then", one.admit("c", 10).N, 0)
	s := f.state()
	wantEqual(t, "unanswered", s.Canary.Unanswered, 4)
	wantEqual(t, "answered", s.Canary.Answered, 0)
}

// The replica that trips may be another than the one that FCM told why.
func holdSaysWhatAnyReplicaWasTold(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	one, two := f.replicas[0], f.replicas[1]
	two.admit("b", 5)
	report := answer(one.admit("a", 5), "a", 5, breaker.Unanswered)
	report.AddDetail(breaker.Unanswered, "HTTP 503; really")
	one.conclude(report)
	v := two.conclude(answer(two.admit("b", 5), "b", 5, breaker.Unanswered))
	if v.Hold == nil || !strings.Contains(v.Hold.Reason, "HTTP 503") {
		t.Fatalf("hold %+v, want one that quotes FCM", v.Hold)
	}
	_, err := two.Release(t.Context(), f.list)
	f.ok(err)
	v = two.conclude(answer(two.admit("c", 10), "c", 5, breaker.Unanswered))
	if v.Hold == nil || strings.Contains(v.Hold.Reason, "HTTP 503") {
		t.Errorf("hold %+v, want one that does not quote FCM's text of an earlier round", v.Hold)
	}
}

func fewUnansweredPass(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	a := r.admit("a", 10)
	r.conclude(answer(a, "a", 4, breaker.Unanswered))
	v := r.conclude(answer(a, "a", 6, breaker.Accepted))
	wantEqual(t, "held", v.Hold != nil || v.Trip != nil, false)
	r.leap()
	wantEqual(t, "admitted", r.admit("b", 50).N, 50)
}

func unansweredCanaryHolds(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	one, two := f.replicas[0], f.replicas[1]
	a := one.admit("a", 10)
	one.conclude(answer(a, "a", 5, breaker.Accepted))
	v := one.conclude(answer(a, "a", 5, breaker.Unanswered))
	if v.Trip == nil || v.Trip.Kind != breaker.Unanswered || v.Trip.Scope != breaker.Campaign || v.Trip.Count != 5 || v.Trip.Of != 10 || !v.Tripped {
		t.Fatalf("decision %+v, want a trip for 5 of 10", v)
	}
	f.ok(one.Confirm(t.Context(), f.list, v.Trip))
	for range 2 {
		got := two.admit("b", 10)
		if got.N != 0 || got.Hold == nil || got.Hold.Reason != v.Trip.Reason || got.Trip != nil {
			t.Errorf("admission %+v, want none, and why", got)
		}
	}
	s := f.state()
	if s.Hold == nil || s.Hold.Kind != breaker.Unanswered || s.Hold.Tries != 1 || s.Hold.Next.After(s.Hold.Since) || s.Standing {
		t.Errorf("state %+v, want a hold that a first probe may end", s)
	}
}

func unansweredLatelyHolds(t *testing.T, b *backends.Backend) {
	servers.AvoidHourChange(t, b.Redis)
	f := open(t, b, 2, options())
	a := f.pass(10)
	one, two := f.replicas[0], f.replicas[1]
	wantEqual(t, "held by few", one.conclude(answer(a, "x", 49, breaker.Unanswered)).Hold != nil, false)
	two.conclude(answer(a, "x", 100, breaker.Accepted))
	wantEqual(t, "held below the share", one.conclude(answer(a, "x", 40, breaker.Unanswered)).Hold != nil, false)
	v := one.conclude(answer(a, "x", 200, breaker.Unanswered))
	if v.Trip == nil || !strings.Contains(v.Trip.Reason, "of the last seconds got no answer from FCM") {
		t.Errorf("decision %+v, want a trip", v)
	}
}

func silenceHolds(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	a := r.admit("a", 10)
	v := r.conclude(silent(a, breaker.Unanswered, 30))
	if v.Trip == nil || v.Trip.Count != 30 || !strings.Contains(v.Trip.Reason, "30 of 30 pushes in a row got no answer from FCM (HTTP 503, really); ") {
		t.Errorf("decision %+v, want a trip that says what was seen", v)
	}
}

// A replica that is cut off stops for itself, and not those that get answers.
func silenceOfOneReplica(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	a := f.pass(10) // by the first replica, just now
	deaf := f.replicas[1]
	wantEqual(t, "held", deaf.conclude(silent(a, breaker.Unanswered, 30)).Hold != nil, false)
	fields, err := f.rdb.HGetAll(t.Context(), f.key()).Result()
	f.ok(err)
	for field, value := range fields { // the first replica's last answer is long ago
		if parts := strings.Fields(value); strings.HasPrefix(field, "seq:") && parts[1] != "0" {
			f.ok(f.rdb.HSet(t.Context(), f.key(), field, parts[0]+" 1 "+parts[2]).Err())
		}
	}
	wantEqual(t, "held", deaf.conclude(silent(a, breaker.Unanswered, 30)).Hold != nil, true)
}

func wrongEndpointTripsTheProject(t *testing.T, b *backends.Backend) {
	for name, tell := range map[string]func(r *replica) breaker.Decision{
		"a run": func(r *replica) breaker.Decision {
			return r.conclude(silent(r.admit("a", 5), breaker.WrongEndpoint, 5))
		},
		"a canary": func(r *replica) breaker.Decision {
			return r.conclude(answer(r.admit("a", 10), "a", 10, breaker.WrongEndpoint))
		},
		"the last seconds": func(r *replica) breaker.Decision {
			return r.conclude(answer(r.admit("a", 10), "a", 60, breaker.WrongEndpoint))
		},
	} {
		f := open(t, b, 2, options())
		r := f.replicas[0]
		v := tell(r)
		if v.Trip == nil || v.Trip.Scope != breaker.Project || v.Trip.Kind != breaker.WrongEndpoint || !strings.Contains(v.Trip.Reason, "fcm.endpoint") {
			t.Fatalf("%s: decision %+v, want the project to stop", name, v)
		}
		// A winner that does not act is followed by another one.
		f.expire("trip_until")
		taken := f.replicas[1].admit("b", 5)
		if taken.Trip == nil || taken.Trip.Kind != breaker.WrongEndpoint {
			t.Fatalf("%s: admission %+v, want the trip to be taken over", name, taken)
		}
		f.ok(f.replicas[1].Confirm(t.Context(), f.list, taken.Trip))
		if s := f.state(); s.Standing || s.Hold == nil {
			t.Errorf("%s: state %+v, want the campaign on hold", name, s)
		}
	}
	// Among FCM's own answers, it is none.
	f := open(t, b, 1, options())
	r := f.replicas[0]
	a := r.admit("a", 10)
	r.conclude(answer(a, "a", 4, breaker.Accepted))
	if v := r.conclude(answer(a, "a", 6, breaker.WrongEndpoint)); v.Trip == nil || v.Trip.Kind != breaker.Unanswered {
		t.Errorf("decision %+v, want the campaign alone to stop", v)
	}
	// Half of what came instead of answers is not enough.
	f = open(t, b, 1, options())
	r = f.replicas[0]
	a = r.admit("a", 10)
	r.conclude(answer(a, "a", 5, breaker.WrongEndpoint))
	if v := r.conclude(answer(a, "a", 5, breaker.Unanswered)); v.Trip == nil || v.Trip.Kind != breaker.Unanswered {
		t.Errorf("decision %+v for halves, want the campaign alone to stop", v)
	}
}

func releaseStartsACanary(t *testing.T, b *backends.Backend) {
	f := open(t, b, 2, options())
	one, two := f.replicas[0], f.replicas[1]
	old := f.pass(10)
	released, err := one.Release(t.Context(), f.list)
	wantEqual(t, "released without a hold", released || err != nil, false)
	one.conclude(silent(old, breaker.Unanswered, 30))
	released, err = two.Release(t.Context(), f.list)
	f.ok(err)
	wantEqual(t, "released", released, true)
	f.expire("opens")
	two.leap()
	a := two.admit("b", 100)
	if a.N != 5 || !a.Probed || a.Hold != nil || a.Round <= old.Round {
		t.Errorf("admission %+v after round %d, want a trial", a, old.Round)
	}
	v := one.conclude(answer(old, "x", 10, breaker.Accepted))
	wantEqual(t, "the old round is over", v.Tripped, true)
	two.conclude(answer(a, "b", 1, breaker.Accepted))
	wantEqual(t, "places once a push is answered", two.admit("d", 100).N, 5)
	two.conclude(answer(a, "b", 4, breaker.Accepted))
	two.conclude(answer(a, "d", 5, breaker.Accepted))
	two.leap()
	for range 2 { // the second one by trust
		if a := two.admit("c", 50); a.N != 50 || !a.Probed {
			t.Errorf("admission %+v after the canary", a)
		}
	}
}

// Once a push of the trial is answered, the whole canary decides and not the trial alone.
func answeredTrialIsNoCanary(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	r.conclude(silent(f.pass(10), breaker.Unanswered, 30))
	_, err := r.Release(t.Context(), f.list)
	f.ok(err)
	f.expire("opens")
	r.leap()
	a := r.admit("b", 100)
	wantEqual(t, "trial", a.N, 5)
	wantEqual(t, "held by the answered push", r.conclude(answer(a, "b", 1, breaker.Accepted)).Hold != nil, false)
	wantEqual(t, "held by the rest of the trial", r.conclude(answer(a, "b", 4, breaker.Unanswered)).Hold != nil, false)
	wantEqual(t, "places", r.admit("c", 100).N, 5)
	wantEqual(t, "held by the canary", r.conclude(answer(a, "c", 5, breaker.Unanswered)).Hold != nil, true)
}

// An outage that comes again at once is probed less and less often, and costs a trial each time:
// FCM may answer probes while it delivers nothing.
func holdsInARowWait(t *testing.T, b *backends.Backend) {
	o := options()
	o.Probe, o.LongestProbe = time.Hour, 3*time.Hour
	f := open(t, b, 1, o)
	r := f.replicas[0]
	for i, want := range []time.Duration{0, 2 * time.Hour, 3 * time.Hour, 3 * time.Hour} {
		a := r.admit(queue.NewID(), 100)
		wantEqual(t, "admitted", a.N, map[bool]int{false: 10, true: 5}[i > 0])
		r.conclude(answer(a, "x", a.N, breaker.Unanswered))
		hold := f.state().Hold
		if hold == nil || hold.Tries != i+1 || hold.Next.Sub(hold.Since) != want {
			t.Fatalf("hold %d is %+v, want it to wait %s", i+1, hold, want)
		}
		if want > 0 {
			released, err := r.Release(t.Context(), f.list)
			wantEqual(t, "released too soon", released || err != nil, false)
			f.setHold(func(parts []string) { parts[3] = "1" })
		}
		released, err := r.Release(t.Context(), f.list)
		wantEqual(t, "released", released && err == nil, true)
	}
	// One that comes later begins afresh.
	f.expire("released")
	r.conclude(answer(r.admit("late", 100), "x", 5, breaker.Unanswered))
	wantEqual(t, "tries", f.state().Hold.Tries, 1)
}

// setHold changes the parts of the hold.
func (f *fixture) setHold(change func(parts []string)) {
	f.Helper()
	value, err := f.rdb.HGet(f.Context(), f.key(), "hold").Result()
	f.ok(err)
	parts := strings.SplitN(value, " ", 6)
	change(parts)
	f.ok(f.rdb.HSet(f.Context(), f.key(), "hold", strings.Join(parts, " ")).Err())
}

func holdLostReplies(t *testing.T, b *backends.Backend) {
	b.Lose(t, never)
	f := openOn(t, b.Lossy, b.Redis, queue.NewID(), 1, options())
	r := f.replicas[0]
	a := r.admit("a", 10)
	b.Lose(t, servers.EveryNth(2))
	v := r.conclude(answer(a, "a", 10, breaker.Unanswered))
	wantEqual(t, "told to act", v.Trip != nil, true)
	wantEqual(t, "tries", f.state().Hold.Tries, 1)
	_, err := r.Release(t.Context(), f.list)
	f.ok(err)
	wantEqual(t, "held after its release", f.state().Hold != nil, false)
}

func holdIsResetByHand(t *testing.T, b *backends.Backend) {
	f := open(t, b, 1, options())
	r := f.replicas[0]
	r.conclude(answer(r.admit("a", 10), "a", 10, breaker.Unanswered))
	f.ok(r.Reset(t.Context(), f.list))
	a := r.admit("b", 10)
	wantEqual(t, "admitted", a.N, 10)
	wantEqual(t, "probed", a.Probed, false)
}

// Pushes without an answer are forgotten after some seconds: a bad moment long ago holds no one.
func TestUnansweredAreForgotten(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	o := options()
	o.Canary = 0
	server.SetTime(began)
	f := openOn(t, rdb, rdb, queue.NewID(), 1, o)
	r := f.replicas[0]
	a := r.admit("a", 1)
	r.conclude(answer(a, "x", 49, breaker.Unanswered))
	server.SetTime(began.Add(3 * time.Second))
	wantEqual(t, "held by two moments", r.conclude(answer(a, "x", 49, breaker.Unanswered)).Hold != nil, false)
	server.SetTime(began.Add(5 * time.Second))
	r.conclude(answer(a, "x", 20, breaker.Accepted))
	wantEqual(t, "share", f.state().Shares[1], breaker.Share{Kind: breaker.Unanswered, Count: 49, Of: 69, Limit: o.Unanswered})
	wantEqual(t, "held by one", r.conclude(answer(a, "x", 1, breaker.Unanswered)).Hold != nil, true)
	wantEqual(t, "admitted without a canary, but on hold", r.admit("b", 50).N, 0)
}

// One replica's silence says nothing for two seconds after another one had an answer.
func TestSilenceBesideAnAnswer(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	server.SetTime(began)
	f := openOn(t, rdb, rdb, queue.NewID(), 2, options())
	a := f.pass(10)
	for after, held := range []bool{false, false, true} {
		server.SetTime(began.Add(time.Duration(after) * time.Second))
		v := f.replicas[1].conclude(silent(a, breaker.Unanswered, 30))
		wantEqual(t, "held", v.Hold != nil, held)
	}
}

// A campaign that has passed is not measured by its canary again, whatever size a replica with
// other settings gives it.
func TestPassedCampaignIsNotMeasuredByItsCanary(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: miniredis.RunT(t).Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	f := openOn(t, rdb, rdb, queue.NewID(), 1, options())
	r := f.replicas[0]
	a := r.admit("a", 10)
	r.conclude(answer(a, "a", 4, breaker.Accepted))
	r.conclude(answer(a, "a", 5, breaker.Unanswered))
	none, small := options(), options()
	none.Canary, small.Canary = 0, 5
	wantEqual(t, "admitted without a canary", f.join(rdb, none).admit("b", 50).N, 50)
	wantEqual(t, "held", f.join(rdb, small).conclude(breaker.Report{Round: a.Round}).Hold != nil, false)
}
