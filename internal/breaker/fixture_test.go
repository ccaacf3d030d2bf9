package breaker_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/breaker"
	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/test/backends"
)

// tester is what the tests and the property tests (whose T is another one) have in common.
type tester interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
	Context() context.Context
}

// fixture is a campaign of its own, seen by some replicas.
type fixture struct {
	tester
	rdb      redis.UniversalClient // reliable, whatever the replicas use
	list     keys.List
	replicas []*replica
}

// replica is one process. Its clock moves with leap alone.
type replica struct {
	f *fixture
	*breaker.Breakers
	ahead time.Duration
}

func open(t *testing.T, b *backends.Backend, replicas int, o breaker.Options) *fixture {
	t.Helper()
	return openOn(t, b.Redis, b.Redis, queue.NewID(), replicas, o)
}

func openOn(t tester, rdb, sound redis.UniversalClient, id string, replicas int, o breaker.Options) *fixture {
	t.Helper()
	list, err := keys.Default().Campaign(id)
	if err != nil {
		t.Fatalf("name list: %v", err)
	}
	f := &fixture{tester: t, rdb: sound, list: list}
	for range replicas {
		f.join(rdb, o)
	}
	return f
}

// join adds a replica.
func (f *fixture) join(rdb redis.UniversalClient, o breaker.Options) *replica {
	f.Helper()
	b, err := breaker.New(rdb, o)
	if err != nil {
		f.Fatalf("make breakers: %v", err)
	}
	r := &replica{f: f, Breakers: b}
	start := time.Unix(1_000_000, 0)
	b.SetClock(func() time.Time { return start.Add(r.ahead) })
	f.replicas = append(f.replicas, r)
	return r
}

// leap moves a replica's own clock so far that it asks Redis again.
func (r *replica) leap() { r.ahead += time.Minute }

func (r *replica) admit(claim string, want int) breaker.Admission {
	r.f.Helper()
	a, err := r.Admit(r.f.Context(), r.f.list, claim, want)
	if err != nil {
		r.f.Fatalf("admit: %v", err)
	}
	return a
}

func (r *replica) conclude(t breaker.Report) breaker.Decision {
	r.f.Helper()
	v, err := r.Apply(r.f.Context(), r.f.list, t)
	if err != nil {
		r.f.Fatalf("conclude: %v", err)
	}
	return v
}

// answer makes the report of n answers to what an admission let through.
func answer(a breaker.Admission, claim string, n int, kind breaker.Kind) breaker.Report {
	t := breaker.Report{Round: a.Round}
	for range n {
		t.Add(breaker.Answer{Kind: kind}, 1)
		t.EndClaim(claim, 1)
	}
	return t
}

func (f *fixture) state() breaker.State {
	f.Helper()
	s, err := f.replicas[0].State(f.Context(), f.list)
	if err != nil {
		f.Fatalf("state: %v", err)
	}
	return s
}

// writeEvenFull writes a field of a Redis that is full.
const writeEvenFull = `redis.call('HDEL', KEYS[1], '') return redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])`

func (f *fixture) key() string { return f.list.Key(keys.SuffixBreaker) }

// expire moves a moment that the breaker keeps into the past, which is quicker than waiting for it:
// the last number of each field that begins so.
func (f *fixture) expire(prefix string) {
	f.Helper()
	fields, err := f.rdb.HGetAll(f.Context(), f.key()).Result()
	f.ok(err)
	found := false
	for field, value := range fields {
		if strings.HasPrefix(field, prefix) {
			found = true
			past := value[:strings.LastIndex(value, " ")+1] + "1"
			f.ok(f.rdb.Eval(f.Context(), writeEvenFull, []string{f.key()}, field, past).Err())
		}
	}
	if !found {
		f.Fatalf("nothing begins with %q in %v", prefix, fields)
	}
}

// pass sends a whole canary through the first replica.
func (f *fixture) pass(size int) breaker.Admission {
	f.Helper()
	r := f.replicas[0]
	a := r.admit("canary", size)
	r.conclude(answer(a, "canary", size, breaker.Accepted))
	r.leap()
	a = r.admit("rest", size+1)
	wantEqual(f, "admitted after the canary", a.N, size+1)
	return a
}

func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatalf("unexpected: %v", err)
	}
}

func (f *fixture) number(field string) int64 {
	f.Helper()
	value, err := f.rdb.HGet(f.Context(), f.key(), field).Result()
	if errors.Is(err, redis.Nil) {
		return 0
	}
	f.ok(err)
	n, err := strconv.ParseInt(value, 10, 64)
	f.ok(err)
	return n
}

func wantEqual[T comparable](t tester, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// options with a small canary and thresholds that few answers reach.
func options() breaker.Options {
	o := breaker.DefaultOptions()
	o.Canary = 10
	return o
}
