package readthrough_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/readthrough"
	"fanfare/test/backends"
)

// gate is a source whose queries wait until the test releases them.
type gate struct {
	queries chan *query
}

type query struct {
	ids    []string
	ctx    context.Context
	answer chan map[string]string
}

func (g *gate) ask(ctx context.Context, ids []string) (map[string]string, error) {
	q := &query{ids: ids, ctx: ctx, answer: make(chan map[string]string)}
	g.queries <- q
	select {
	case rows := <-q.answer:
		return rows, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

type outcome struct {
	found map[string]string
	err   error
}

// lookup runs in the background.
func lookup(ctx context.Context, c *readthrough.Cache[string], ids ...string) <-chan outcome {
	done := make(chan outcome, 1)
	go func() {
		found, err := c.Lookup(ctx, ids)
		done <- outcome{found, err}
	}()
	return done
}

// flying runs a test in a bubble, where it fails at once on a deadlock.
func flying(t *testing.T, test func(t *testing.T, b *rig, g *gate, c *readthrough.Cache[string])) {
	synctest.Test(t, func(t *testing.T) {
		server := miniredis.NewMiniRedis()
		t.Cleanup(server.Close)
		rdb := redis.NewClient(&redis.Options{
			Addr:   "127.0.0.1:1", // never dialed; the address needs no resolver
			Dialer: func(context.Context, string, string) (net.Conn, error) { return server.Dial() },
		})
		t.Cleanup(func() { _ = rdb.Close() })
		b, g := newRig(t, rdb), &gate{queries: make(chan *query)}
		test(t, b, g, b.cacheOf(g.ask))
	})
}

func TestOverlappingBatchesAskForAnIDOnce(t *testing.T) {
	flying(t, func(t *testing.T, b *rig, g *gate, c *readthrough.Cache[string]) {
		first := lookup(t.Context(), c, "1", "2")
		q12 := <-g.queries
		second := lookup(t.Context(), c, "2", "3")
		q3 := <-g.queries // now the second lookup waits for id 2 of the first
		b.expect("second query", q3.ids, []string{"3"})

		q12.answer <- rows{"1": "one", "2": "two"}
		b.expect("first", <-first, outcome{found: rows{"1": "one", "2": "two"}})
		q3.answer <- rows{"3": "three"}
		b.expect("second", <-second, outcome{found: rows{"2": "two", "3": "three"}})
	})
}

func TestACancelledCallerFailsNobodyElse(t *testing.T) {
	flying(t, func(t *testing.T, b *rig, g *gate, c *readthrough.Cache[string]) {
		ctx, cancel := context.WithCancel(t.Context())
		starter := lookup(ctx, c, "1")
		q1 := <-g.queries
		other := lookup(t.Context(), c, "1", "2")
		q2 := <-g.queries

		cancel()
		left := <-starter
		b.expect("starter's error is its own", errors.Is(left.err, context.Canceled), true)
		b.expect("starter is undecided", readthrough.IsUndecided(left.err, "1"), true)
		b.expect("query goes on", q1.ctx.Err(), nil)

		q1.answer <- rows{"1": "one"}
		q2.answer <- rows{"2": "two"}
		b.expect("other", <-other, outcome{found: rows{"1": "one", "2": "two"}})
	})
}

func TestAQueryThatNobodyWaitsForIsCancelled(t *testing.T) {
	flying(t, func(t *testing.T, b *rig, g *gate, c *readthrough.Cache[string]) {
		ctx, cancel := context.WithCancel(t.Context())
		starter := lookup(ctx, c, "1", "2")
		q12 := <-g.queries
		later, cancelLater := context.WithCancel(t.Context())
		joined := lookup(later, c, "2", "3")
		q3 := <-g.queries

		cancel()
		<-starter
		b.expect("query goes on for the one who joined", q12.ctx.Err(), nil)
		cancelLater()
		<-joined
		<-q12.ctx.Done()
		<-q3.ctx.Done()

		again := lookup(t.Context(), c, "1", "2", "3")
		fresh := <-g.queries
		b.expect("new query", slices.Sorted(slices.Values(fresh.ids)), []string{"1", "2", "3"})
		fresh.answer <- rows{"2": "two"}
		b.expect("found", <-again, outcome{found: rows{"2": "two"}})
	})
}

// A caller that joins late knows a newer mark than the query.
func TestMarkSetAfterWriteBackHolds(t *testing.T) {
	flying(t, func(t *testing.T, b *rig, g *gate, c *readthrough.Cache[string]) {
		joined := make(chan (<-chan outcome), 1)
		r := new(recorder)
		b.rdb.AddHook(r)
		r.spot = func(sent []redis.Cmder) { // the first SET is the write-back of a query that still runs
			if sent[0].Name() != "set" {
				return
			}
			r.spot = nil
			b.store(b.keys.None("1"), "dead")
			b.rdb.Del(t.Context(), b.keys.Value("1"))
			late := lookup(t.Context(), c, "1", "2")
			q2 := <-g.queries
			q2.answer <- rows{}
			joined <- late
		}
		first := lookup(t.Context(), c, "1")
		q1 := <-g.queries
		q1.answer <- rows{"1": "dead"}
		b.expect("who asked before the proof", <-first, outcome{found: rows{"1": "dead"}})
		b.expect("who asked after it", <-<-joined, outcome{found: rows{}})
	})
}

// counter is a source that reports ids in two queries at once. A cancelled query that has not
// noticed yet does not count.
type counter struct {
	mu      sync.Mutex
	asking  map[string]context.Context
	doubled []string
}

func (s *counter) ask(ctx context.Context, ids []string) (map[string]string, error) {
	s.enter(ctx, ids)
	answers := make(map[string]string)
	for _, id := range ids {
		runtime.Gosched()
		answers[id] = "text " + id
	}
	s.exit(ctx, ids)
	return answers, nil
}

func (s *counter) enter(ctx context.Context, ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if other := s.asking[id]; other != nil && other.Err() == nil && ctx.Err() == nil {
			s.doubled = append(s.doubled, id)
		}
		if ctx.Err() == nil {
			s.asking[id] = ctx
		}
	}
}

func (s *counter) exit(ctx context.Context, ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if s.asking[id] == ctx {
			delete(s.asking, id)
		}
	}
}

func TestManyBatchesAtATime(t *testing.T) {
	server := miniredis.RunT(t)
	b := newRig(t, backends.ConnectOnce(t, server.Addr()))
	source := &counter{asking: map[string]context.Context{}}
	c := b.cacheOf(source.ask)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 50 {
				batch := rand.Perm(40)[:10]
				if batch[0]%4 == 0 {
					server.FlushAll()
				}
				checkBatch(b, c, batch, batch[1]%3 == 0)
			}
		})
	}
	wg.Wait()
	b.expect("ids asked for twice at a time", source.doubled, []string(nil))
}

// checkBatch looks up a batch. An impatient caller leaves at some moment.
func checkBatch(b *rig, c *readthrough.Cache[string], batch []int, impatient bool) {
	want := make(map[string]string)
	var ids []string
	for _, n := range batch {
		id := fmt.Sprint(n)
		ids = append(ids, id)
		want[id] = "text " + id
	}
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	if impatient {
		go func() {
			for range rand.N(200) {
				runtime.Gosched()
			}
			cancel()
		}()
	}
	found, err := c.Lookup(ctx, ids)
	for _, id := range ids {
		if readthrough.IsUndecided(err, id) {
			delete(want, id)
		}
	}
	if !impatient {
		b.expect("error", err, nil)
	}
	b.expect("found", found, want)
}
