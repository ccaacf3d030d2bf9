package leasekeeper_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"fanfare/internal/keys"
	"fanfare/internal/leasekeeper"
	"fanfare/internal/queue"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeRedis answers every script in place of a Redis: with the reply, or the error.
type fakeRedis func(ctx context.Context, keys string) (reply any, err error)

func (fakeRedis) DialHook(next redis.DialHook) redis.DialHook { return next }

func (fakeRedis) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (f fakeRedis) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		args := cmd.Args() // evalsha, sha, number of keys, keys
		reply, err := f(ctx, fmt.Sprint(args[3:3+args[2].(int)]))
		cmd.(*redis.Cmd).SetVal(reply)
		cmd.SetErr(err)
		return err
	}
}

// queues are those of campaigns on one fake Redis.
func queues(t *testing.T, f fakeRedis, ids ...string) map[string]*queue.Queue {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: "127.0.0.1:1"}) // never dialed
	t.Cleanup(func() { _ = rdb.Close() })
	rdb.AddHook(f)
	all := make(map[string]*queue.Queue)
	for _, id := range ids {
		list, err := keys.Default().Campaign(id)
		if err != nil {
			t.Fatal(err)
		}
		if all[id], err = queue.New(rdb, list, queue.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

const ttl = 15 * time.Second

// held are leases of one claim a queue, each valid for a second, and the extender of them.
func held(t *testing.T, f fakeRedis, ids ...string) (map[string]*leasekeeper.Lease, *leasekeeper.Extender) {
	t.Helper()
	set, leases := leasekeeper.NewSet[*leasekeeper.Lease](), make(map[string]*leasekeeper.Lease)
	for id, q := range queues(t, f, ids...) {
		leases[id] = &leasekeeper.Lease{Queue: q, Claim: "claim-" + id}
		leases[id].ExtendTo(time.Now().Add(time.Second))
		set.Add(leases[id])
	}
	return leases, &leasekeeper.Extender{
		Leases: set, TTL: ttl,
		OnError: func(context.Context, *queue.Queue, []string, error) {},
	}
}

// A shard that does not answer delays the leases of no other queue, and the next tick no longer
// than until that is due.
func TestStuckShardDelaysItsOwnLeasesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases, e := held(t, func(ctx context.Context, keys string) (any, error) {
			if strings.Contains(keys, "stuck") {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return []any{}, nil
		}, "1", "stuck", "2", "3")
		var failed []string
		e.OnError = func(ctx context.Context, q *queue.Queue, claims []string, err error) {
			if ctx.Err() != nil || err == nil {
				t.Errorf("context %v, error %v", ctx.Err(), err)
			}
			failed = append(failed, append(claims, q.List().Plain())...)
		}
		begun := time.Now()
		e.Extend(t.Context())
		if took := time.Since(begun); took != ttl/3 || !slices.Equal(failed, []string{"claim-stuck", "campaign:stuck"}) {
			t.Errorf("the tick took %s, and %q failed", took, failed)
		}
		for id, l := range leases {
			last := begun.Add(ttl - 1)
			if extended := l.IsValid(last); extended != (id != "stuck") || l.IsValid(last.Add(1)) {
				t.Errorf("lease of %s extended: %v", id, extended)
			}
		}
	})
}

// A lease is extended from the moment of the call, and asked for again before two thirds are over.
// OnExtended is called after the extension.
func TestLeasesAreExtendedInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []string
		begun := time.Now()
		leases, e := held(t, func(context.Context, string) (any, error) {
			calls = append(calls, time.Since(begun).String())
			<-time.After(time.Second)
			return []any{}, nil
		}, "42")
		e.OnExtended = func(_ context.Context, _ *queue.Queue, claims []string) { calls = append(calls, claims...) }
		ctx, cancel := context.WithTimeout(t.Context(), ttl-1)
		defer cancel()
		e.Run(ctx)
		if want := []string{"5s", "claim-42", "10s", "claim-42"}; !slices.Equal(calls, want) {
			t.Errorf("calls %q, want %q", calls, want)
		}
		if last := begun.Add(10*time.Second + ttl - 1); !leases["42"].IsValid(last) || leases["42"].IsValid(last.Add(1)) {
			t.Error("the lease was not extended from the moment of the call")
		}
	})
}

// A lease that Redis calls lost ends at once, whatever time it had left. The others are extended.
func TestLostLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		leases, e := held(t, func(_ context.Context, keys string) (any, error) {
			if strings.Contains(keys, "lost") {
				return []any{"claim-lost"}, nil
			}
			return []any{}, nil
		}, "lost", "42")
		lost := 0
		leases["lost"].OnLost = func() { lost++ }
		e.Extend(t.Context())
		if lost != 1 || leases["lost"].IsValid(time.Now()) || !leases["42"].IsValid(time.Now().Add(ttl-1)) {
			t.Errorf("OnLost was called %d times", lost)
		}
	})
}

// While Redis does not answer, a lease ends by this process's clock, and no earlier. Once Redis
// answers, it is valid again, unless Redis calls it lost.
func TestUnextendedLeaseEndsByTheLocalClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		leases, e := held(t, func(context.Context, string) (any, error) {
			if down {
				return nil, io.EOF
			}
			return []any{}, nil
		}, "42")
		lost := false
		leases["42"].OnLost = func() { lost = true }
		for _, c := range []struct {
			wait time.Duration
			lost bool
		}{{time.Second - 1, false}, {1, true}} {
			<-time.After(c.wait)
			e.Extend(t.Context())
			if lost != c.lost || leases["42"].IsValid(time.Now()) == c.lost {
				t.Errorf("lost is %v, want %v", lost, c.lost)
			}
		}
		down = false
		e.Extend(t.Context())
		if !leases["42"].IsValid(time.Now().Add(ttl - 1)) {
			t.Error("the lease that Redis extended is not valid")
		}
	})
}

// A lease that was never extended is not valid, and a removed one is neither found nor extended.
func TestSet(t *testing.T) {
	set := leasekeeper.NewSet[*leasekeeper.Lease]()
	asked := 0
	q := queues(t, func(context.Context, string) (any, error) { asked++; return []any{}, nil }, "42")["42"]
	l := &leasekeeper.Lease{Queue: q, Claim: "c"}
	if l.IsValid(time.Now()) {
		t.Error("a lease is valid before it was claimed")
	}
	set.Add(l)
	if set.Get("c") != l || set.CountOf(q) != 1 || set.CountOf(nil) != 0 {
		t.Error("the lease is not found")
	}
	set.Remove(l)
	if set.Get("c") != nil || set.CountOf(q) != 0 {
		t.Error("the lease is found after its removal")
	}
	e := &leasekeeper.Extender{Leases: set, TTL: ttl}
	if e.Extend(t.Context()); asked != 0 {
		t.Error("the lease is extended after its removal")
	}
}

// The age of the leases is that of the one which has been in the set for longest.
func TestOldestLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		set, begun := leasekeeper.NewSet[*leasekeeper.Lease](), time.Now()
		expect := func(want int, since time.Time) {
			t.Helper()
			if n, got := set.Oldest(); n != want || !got.Equal(since) {
				t.Errorf("%d leases since %s, want %d since %s", n, got, want, since)
			}
		}
		expect(0, time.Time{})
		leases := make([]*leasekeeper.Lease, 20) // a map has no order
		for i := range leases {
			leases[i] = &leasekeeper.Lease{Claim: strings.Repeat("c", i+1)}
			set.Add(leases[i])
			<-time.After(time.Second)
		}
		expect(20, begun)
		set.Remove(leases[0])
		expect(19, begun.Add(time.Second))
	})
}

// The reaper waits between half its interval and all of it, and not always the same. A queue that
// fails does not keep it from the next one.
func TestReaper(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waits := make(map[time.Duration]bool)
		var mu sync.Mutex
		reaped := make(map[string]int)
		count := func(q *queue.Queue, n int) {
			mu.Lock()
			defer mu.Unlock()
			reaped[q.List().Plain()] += n
		}
		all := queues(t, func(_ context.Context, keys string) (any, error) {
			switch {
			case strings.Contains(keys, "broken"):
				return nil, io.EOF
			case strings.Contains(keys, ":back"):
				return []any{int64(3), int64(1)}, nil
			}
			return []any{"dead"}, nil
		}, "broken", "42")
		last := time.Now()
		r := &leasekeeper.Reaper{
			Interval: time.Minute, Timeout: time.Second,
			Queues: func() []*queue.Queue {
				waits[time.Since(last)] = true
				last = time.Now()
				return []*queue.Queue{all["broken"], all["42"]}
			},
			OnReaped: count,
			OnError:  func(_ context.Context, q *queue.Queue, _ error) { count(q, 1) },
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		r.Run(ctx)
		for wait := range waits {
			if wait < 30*time.Second || wait > time.Minute {
				t.Errorf("it waited %s", wait)
			}
		}
		if n := reaped["campaign:broken"]; len(waits) < 2 || n < 59 || n > 120 || reaped["campaign:42"] != 3*n {
			t.Errorf("%d different waits, and reaped %v", len(waits), reaped)
		}
		r.ReapQueue(t.Context(), all["42"])
		if reaped["campaign:42"] != 3*reaped["campaign:broken"]+3 {
			t.Errorf("reaped %v after one queue more", reaped)
		}
	})
}
