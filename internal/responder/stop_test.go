package responder_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/test/servers"
)

// A stop finishes what is being written, removes it, and claims nothing more.
func TestStopFinishesWhatIsClaimed(t *testing.T) {
	writing, finish := make(chan struct{}), make(chan struct{})
	db := &database{fails: func(_ context.Context, call int, _ []notification.Result) error {
		if call == 1 {
			close(writing)
		}
		<-finish
		return nil
	}}
	w := newWorld(t, db)
	w.options.Batch, w.options.Workers = 10, 1
	elements, ids := sent(25)
	w.push(elements...)
	r := w.start(w.rdb)
	servers.Receive(t, "call of the database", writing)
	r.stopFetching()
	close(finish)
	r.ends()
	db.wantRows(t, ids[:10])
	if c := w.counts(); c.Ended["applied"] != 10 || c.InFlight != 0 || c.Back != 0 || c.Listed != 15 {
		t.Errorf("books: %+v, want the claimed 10 finished and the other 15 untouched", c)
	}
}

// When work ends, unfinished results go back in their old order, as if they had never been claimed.
func TestEndOfWorkGivesBack(t *testing.T) {
	db := &database{fails: func(ctx context.Context, _ int, _ []notification.Result) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	w := newWorld(t, db)
	w.options.Batch, w.options.Workers = 10, 2
	elements, ids := sent(25)
	w.push(elements...)
	r := w.start(w.rdb)
	w.await("two batches in flight", func() bool { return w.counts().InFlight == 20 && db.attempts() == 2 })
	r.stopWork()
	r.ends()
	if c := w.counts(); c.InFlight != 0 || c.Back != 20 || c.Listed != 5 || c.Reaped != 0 {
		t.Errorf("books: %+v, want the claimed 20 given back", c)
	}
	var order []string
	db = &database{fails: func(_ context.Context, _ int, results []notification.Result) error {
		for i := range results {
			order = append(order, results[i].ResultID)
		}
		return nil
	}}
	w.deps.Applier, w.options.Workers = db, 1
	w.drain()
	slices.Sort(order[:20]) // the two workers stop in no certain order
	if !slices.Equal(order, ids) {
		t.Errorf("written in the order %q", order)
	}
}

// Results that were committed as work ended are still removed, even if Redis is away for a moment.
func TestCommittedResultsAreRemovedWithinTheGrace(t *testing.T) {
	var stop context.CancelFunc
	started := make(chan struct{})
	db := &database{fails: func(context.Context, int, []notification.Result) error {
		<-started
		stop()
		return nil
	}}
	w := newWorld(t, db)
	w.options.Workers = 1
	elements, ids := sent(10)
	w.push(elements...)
	away := &outageClient{UniversalClient: w.rdb, refusals: 3}
	r := w.start(away)
	stop = r.stopWork
	close(started)
	r.ends()
	db.wantRows(t, ids)
	if c := w.counts(); c.Ended["applied"] != 10 || c.Back != 0 || c.InFlight != 0 {
		t.Errorf("books: %+v, want all removed", c)
	}
	if away.refusals > 0 {
		t.Error("the removal was never refused")
	}
}

// outageClient is a client that cannot reach Redis the first times it removes results.
type outageClient struct {
	redis.UniversalClient
	refusals int
}

func (a *outageClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if !slices.Contains(args, any("applied")) || a.refusals == 0 {
		return a.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	a.refusals--
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(io.EOF)
	return cmd
}

// dyingClient is the client of a process that dies at its n-th script, before Redis runs it or
// before the reply is read. From then on it reaches no server.
type dyingClient struct {
	redis.UniversalClient
	dies    int
	reached bool
	died    func()

	mu   sync.Mutex
	seen int
}

var errDead = errors.New("the process is dead")

func (g *dyingClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen++
	if g.seen < g.dies {
		return g.UniversalClient.EvalSha(ctx, sha, keys, args...)
	}
	if g.seen == g.dies {
		if g.reached {
			g.UniversalClient.EvalSha(ctx, sha, keys, args...)
		}
		g.died()
	}
	cmd := redis.NewCmd(ctx)
	cmd.SetErr(errDead)
	return cmd
}

// A responder dies at each of its scripts, and the next one finishes after the lease. No result is
// lost, and each has one row and is counted once. At most what was in flight is written twice.
func TestDeathAnywhereLosesNothing(t *testing.T) {
	for dies := 1; dies <= 14; dies++ {
		for _, reached := range []bool{false, true} {
			t.Run(fmt.Sprintf("script %d, executed %t", dies, reached), func(t *testing.T) {
				db := &database{}
				w := newWorld(t, db)
				w.options.Batch, w.options.Workers, w.options.GraceTimeout = 10, 1, 1
				w.options.ReapInterval, w.options.TrimInterval, w.options.MeterInterval = patience, patience, patience // once, at the start
				w.push(encoded(result(40, notification.StatusFailed)), "garbage")
				elements, ids := sent(40)
				w.push(elements...)

				w.drainEmpty() // the scripts are known to Redis
				ctx, die := context.WithCancel(t.Context())
				defer die()
				g := &dyingClient{UniversalClient: w.rdb, dies: dies, reached: reached, died: die}
				if err := w.responder(g).Run(ctx, ctx); err != nil {
					t.Fatal(err)
				}
				w.expireLeases()
				w.drain()

				db.wantRows(t, append(ids, id(40)))
				c := w.counts()
				if c.Claimed != 42 || c.Ended["applied"] != 41 || c.Ended["refused"] != 1 || len(w.letters()) != 2 {
					t.Errorf("books: %+v, %d letters", c, len(w.letters()))
				}
				twice := 0
				for _, n := range db.rows {
					twice += n - 1
				}
				if twice > w.options.Batch {
					t.Errorf("%d results were written again, want at most the %d in flight", twice, w.options.Batch)
				}
			})
		}
	}
}

// drainEmpty runs every script once over another list, so that Redis knows the scripts.
func (w *world) drainEmpty() {
	w.Helper()
	own := *w
	own.names.Responses = "warm"
	own.deps.Applier = &database{}
	own.push(encoded(result(0, notification.StatusSent)))
	own.drain()
}

// A claim without a reply is repeated under its own id. At the end it is given back, since it may
// have taken results.
func TestClaimWithoutReplyIsGivenBack(t *testing.T) {
	db := &database{}
	w := newWorld(t, db)
	w.options.Batch, w.options.Workers, w.options.GraceTimeout = 10, 1, patience
	elements, _ := sent(25)
	w.push(elements...)
	w.drainEmpty() // the scripts are known to Redis
	deaf := &deafClient{UniversalClient: w.rdb, list: w.names.Responses}
	r := w.start(deaf)
	w.await("the claim to be repeated", func() bool { return deaf.claims.Load() > 2 })
	if c := w.counts(); c.InFlight != 10 {
		t.Errorf("books: %+v, want the same 10 claimed again and again", c)
	}
	r.stopFetching()
	r.ends()
	if c := w.counts(); c.InFlight != 0 || c.Back != 10 || c.Listed != 15 {
		t.Errorf("books: %+v, want the 10 given back", c)
	}
	if db.attempts() != 0 {
		t.Error("results of a claim without a reply were written")
	}
}

// deafClient runs every claim and loses its reply.
type deafClient struct {
	redis.UniversalClient
	list   string
	claims atomic.Int64
}

func (u *deafClient) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	cmd := u.UniversalClient.EvalSha(ctx, sha, keys, args...)
	claim := keys[0] == u.list && len(args) > 0
	if claim && cmd.Err() == nil {
		u.claims.Add(1)
		cmd = redis.NewCmd(ctx)
		cmd.SetErr(errDead)
	}
	return cmd
}
