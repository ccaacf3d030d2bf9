package responder_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/test/servers"
)

// A database that is away for longer than a lease loses nothing. The whole batch is tried again,
// and its lease is kept.
func TestTransientFaultsAreWaitedFor(t *testing.T) {
	back := make(chan struct{})
	db := &database{fails: func(_ context.Context, call int, _ []notification.Result) error {
		select {
		case <-back:
			return nil
		default:
			return errTransient
		}
	}}
	w := newWorld(t, db)
	w.deps.Registerer = w.metrics
	w.lease = 300 * time.Millisecond
	elements, ids := sent(30)
	w.push(elements...)
	r := w.start(w.rdb)

	leases := w.names.ResponsesList().Key(keys.SuffixLeases)
	var first []redis.Z
	w.await("a lease", func() bool {
		first = w.rdb.ZRangeWithScores(t.Context(), leases, 0, -1).Val()
		return len(first) == 1
	})
	w.await("the lease to be kept beyond twice its length", func() bool {
		now := w.rdb.ZRangeWithScores(t.Context(), leases, 0, -1).Val()
		if len(now) != 1 || now[0].Member != first[0].Member {
			t.Fatalf("leases %v, at first %v", now, first)
		}
		return now[0].Score > first[0].Score+2*float64(w.lease.Milliseconds())
	})
	if load := r.Load(); load.Leases != 1 || load.OldestLease < w.lease || load.Held != 30 {
		t.Errorf("the load is %+v, want one lease that is kept for 30 results", load)
	}
	close(back)
	w.await("the rows", func() bool { return w.counts().Ended["applied"] == 30 })
	w.await("a load without leases", func() bool { load := r.Load(); return load.Leases == 0 && load.OldestLease == 0 && load.Done == 30 })
	db.wantRows(t, ids)
	if c := w.counts(); c.Reaped != 0 || c.Outbox != 0 {
		t.Errorf("books: %+v, want nothing reaped and no dead letters", c)
	}
	if r.Ready(t.Context()) != nil || w.metric("faults_total") == 0 {
		t.Error("a transient fault is counted, and is no halt")
	}
}

// A database that is too slow for a whole batch gets it in parts. No result is refused for that.
func TestWhatTakesTooLongIsWrittenInParts(t *testing.T) {
	db := &database{fails: func(_ context.Context, _ int, results []notification.Result) error {
		if len(results) > 8 {
			return fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
		}
		return nil
	}}
	w := newWorld(t, db)
	elements, ids := sent(100)
	w.push(elements...)
	w.drain()
	db.wantRows(t, ids)
	if l := w.letters(); len(l) != 0 {
		t.Errorf("dead letters of a slow database: %+v", l)
	}
}

// When nothing can be written, claiming stops, nothing is dropped, and the log says what to do.
// After the repair, writing resumes without a restart.
func TestHaltWaitsForAPerson(t *testing.T) {
	repaired := make(chan struct{})
	db := &database{fails: func(context.Context, int, []notification.Result) error {
		select {
		case <-repaired:
			return nil
		default:
			return errHalt
		}
	}}
	w := newWorld(t, db)
	w.deps.Registerer = w.metrics
	elements, ids := sent(50)
	w.push(elements...)
	r := w.start(w.rdb)
	w.await("a second try", func() bool { return db.attempts() > 2 })
	if err := r.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), errHalt.Error()) {
		t.Errorf("ready: %v, want the fault", err)
	}
	if got := w.metric("halted"); got != 1 {
		t.Errorf("halted is %v", got)
	}
	if log := w.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "Repair its tables, permissions or statements") {
		t.Errorf("the log does not say what to do:\n%s", log)
	}
	if l := w.letters(); len(l) != 0 {
		t.Errorf("dead letters of a halt: %+v", l)
	}
	close(repaired)
	w.await("the rows", func() bool { return w.counts().Ended["applied"] == 50 })
	db.wantRows(t, ids)
	w.await("readiness", func() bool { return r.Ready(t.Context()) == nil && w.metric("halted") == 0 })
}

// During a halt the results are in the list for all responders, in their order, and the database is
// left alone.
func TestHaltGivesBack(t *testing.T) {
	db := &database{fails: func(context.Context, int, []notification.Result) error { return errHalt }}
	w := newWorld(t, db)
	w.options.HaltDelay, w.options.Batch, w.options.Workers = time.Hour, 10, 1
	elements, _ := sent(30)
	w.push(elements...)
	r := w.start(w.rdb)
	w.await("the halt", func() bool { return r.Ready(t.Context()) != nil })
	w.await("what was claimed to be given back", func() bool { return w.counts().InFlight == 0 })
	lease, err := w.queue().Claim(t.Context(), "other", 30)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range lease.Elements {
		got = append(got, string(e.Raw))
		if e.Lost != 0 {
			t.Errorf("element %s was lost %d times, want given back", e.ID, e.Lost)
		}
	}
	if !slices.Equal(got, elements) {
		t.Errorf("claimed %q, want all in the old order", got)
	}
	if db.attempts() != 1 {
		t.Errorf("the database was asked %d times, want once", db.attempts())
	}
}

// A key of another type halts the responder until it is gone. Nothing moves, and the error names
// the key.
func TestWrongTypeHalts(t *testing.T) {
	for _, suffix := range []string{"", keys.SuffixDead} {
		db := &database{}
		w := newWorld(t, db)
		key := w.names.Responses
		if suffix != "" {
			key = w.names.ResponsesList().Key(suffix)
			w.push(encoded(result(0, notification.StatusFailed)))
		}
		w.rdb.Set(t.Context(), key, "a string", 0)
		r := w.start(w.rdb)
		w.await("the halt", func() bool { return r.Ready(t.Context()) != nil })
		if err := r.Ready(t.Context()); !strings.Contains(err.Error(), `"`+key+`"`) {
			t.Errorf("ready: %v, want one that names %s", err, key)
		}
		w.await("the next step", func() bool { return strings.Contains(w.log.String(), "Rename or delete it") })
		w.rdb.Del(t.Context(), key)
		w.await("readiness", func() bool { return r.Ready(t.Context()) == nil })
		if suffix == "" {
			w.push(encoded(result(0, notification.StatusFailed)))
		}
		w.await("the result", func() bool { return w.counts().Ended["applied"] == 1 })
		if len(w.letters()) != 1 {
			t.Error("the dead letter is missing")
		}
		r.stopFetching()
		r.ends()
	}
}

// A Redis that refuses our credentials or commands halts the responder until a person repairs that.
// This holds for claims and for removals.
func TestRefusalsOfRedisHalt(t *testing.T) {
	addr := servers.Redis(t)
	for name, refuse := range map[string]string{
		"unknown credentials": "off",
		"no scripts":          "-evalsha -eval",
		"no dead letters":     "resetkeys ~notification:responses ~{notification:responses}:[bclr]*",
	} {
		t.Run(name, func(t *testing.T) {
			db := &database{}
			w := newWorldOn(t, addr, db)
			w.rdb.FlushAll(t.Context())
			acl := func(rules string) {
				args := []any{"ACL", "SETUSER", "limited"}
				for _, rule := range strings.Fields("reset on >secret +@all ~* &* " + rules) {
					args = append(args, rule)
				}
				if err := w.rdb.Do(t.Context(), args...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			acl(refuse)
			limited := redis.NewClient(&redis.Options{Addr: addr, Username: "limited", Password: "secret"})
			t.Cleanup(func() { _ = limited.Close() })
			w.push(encoded(result(0, notification.StatusFailed)))
			r := w.start(limited)
			w.await("the halt", func() bool { return r.Ready(t.Context()) != nil })
			w.await("the next step", func() bool { return strings.Contains(w.log.String(), "Fix the password or the ACL") })
			acl("")
			w.await("the result", func() bool { return w.counts().Ended["applied"] == 1 && len(w.letters()) == 1 })
			w.await("readiness", func() bool { return r.Ready(t.Context()) == nil })
		})
	}
}

// A batch whose lease is lost is dropped: the database call is cut off and nothing is settled. The
// next owner writes the results.
func TestLostLeaseIsDropped(t *testing.T) {
	writing, cut := make(chan struct{}), make(chan struct{})
	db := &database{fails: func(ctx context.Context, call int, _ []notification.Result) error {
		if call > 1 {
			return nil
		}
		close(writing)
		<-ctx.Done()
		close(cut)
		return ctx.Err()
	}}
	w := newWorld(t, db)
	w.deps.Registerer = w.metrics
	w.lease = 300 * time.Millisecond
	w.options.Workers, w.options.ReapInterval = 1, time.Hour
	elements, ids := sent(20)
	w.push(elements...)
	w.start(w.rdb)
	servers.Receive(t, "call of the database", writing)
	w.await("the loss of the lease", func() bool { // the extender extends it meanwhile
		w.expireLeases()
		if _, err := w.queue().Reap(t.Context()); err != nil {
			t.Fatal(err)
		}
		return w.counts().Reaped > 0 // by any reaper: the responder may reap late
	})
	servers.Receive(t, "end of the call whose lease is lost", cut)
	w.await("the rows", func() bool { return w.counts().Ended["applied"] == 20 })
	db.wantRows(t, ids)
	if got := w.metric("lost_leases_total"); got != 20 {
		t.Errorf("%v results of lost leases, want 20", got)
	}
	if !strings.Contains(w.log.String(), "lease lost") {
		t.Error("the log does not mention the lost lease")
	}
}

// noExtendClient is a client that cannot extend leases.
type noExtendClient struct{ redis.UniversalClient }

func (u noExtendClient) EvalSha(ctx context.Context, sha string, named []string, args ...any) *redis.Cmd {
	if len(named) == 1 && strings.HasSuffix(named[0], ":"+keys.SuffixLeases) && len(args) > 1 {
		cmd := redis.NewCmd(ctx)
		cmd.SetErr(io.EOF)
		return cmd
	}
	return u.UniversalClient.EvalSha(ctx, sha, named, args...)
}

// A lease that cannot be extended ends by this process's clock: another responder may have the
// results by then.
func TestUnextendedLeaseIsDropped(t *testing.T) {
	cut := make(chan struct{})
	db := &database{fails: func(ctx context.Context, call int, _ []notification.Result) error {
		if call > 1 {
			return nil
		}
		<-ctx.Done()
		close(cut)
		return ctx.Err()
	}}
	w := newWorld(t, db)
	w.lease = 300 * time.Millisecond
	w.options.Workers = 1
	elements, ids := sent(20)
	w.push(elements...)
	w.deps.Registerer = w.metrics
	w.start(noExtendClient{w.rdb})
	servers.Receive(t, "end of the call whose lease is over", cut)
	w.await("the rows", func() bool { return w.counts().Ended["applied"] == 20 })
	db.wantRows(t, ids)
	if got := w.metric("reaped_total"); got != 20 {
		t.Errorf("%v results were reaped, want 20", got)
	}
}

// refusal is an error reply of Redis that no retry changes.
type refusal string

func (r refusal) Error() string { return string(r) }
func (refusal) RedisError()     {}

// refusingClient is a client whose Redis refuses to remove results until it is repaired.
type refusingClient struct {
	redis.UniversalClient
	repaired *atomic.Bool
}

func (s refusingClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if s.repaired.Load() || !slices.Contains(args, any("applied")) {
		return s.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(refusal("CROSSSLOT Keys in request don't hash to the same slot"))
	return cmd
}

// Written results that cannot be removed, for a permanent reason, halt the responder. It does not
// retry for ever.
func TestRefusedRemovalHalts(t *testing.T) {
	w := newWorld(t, &database{})
	elements, _ := sent(10)
	w.push(elements...)
	repaired := new(atomic.Bool)
	r := w.start(refusingClient{w.rdb, repaired})
	w.await("the halt", func() bool { return r.Ready(t.Context()) != nil })
	repaired.Store(true)
	w.await("the results", func() bool { return w.counts().Ended["applied"] == 10 })
	w.await("readiness", func() bool { return r.Ready(t.Context()) == nil })
}
