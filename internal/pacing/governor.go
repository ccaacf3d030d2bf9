// Package pacing lets pushes go no faster than Firebase allows the project, whatever the number of replicas.
//
// In Redis each project has one cursor: the instant at which the next push may go that nobody has leased yet. A replica leases
// a share, some tens of ms of the project's rate, and so moves the cursor on; the next replica's share lies behind it.
// So the pushes of all replicas are even, no replica has to be known to the others, and none can take what another
// one has. A share costs one round trip; its permits are handed out locally, one by one, each at its instant.
//
// All instants are the server's. An era, which is part of each lease, makes void what was leased before a gate, a halt or
// another rate; a signal tells the replicas at once, and their next lease tells those that missed it.
package pacing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"fanfare/internal/keys"

	"github.com/redis/go-redis/v9"
)

// Governor hands out a Firebase project's quota to the pushes of one replica. It is safe for concurrent use.
type Governor struct {
	o       Options
	book    *sharedState
	log     *slog.Logger
	metrics *metrics
	id      uint32        // of this replica, in its asks
	wake    chan struct{} // tells the meter to look at once
	work    sync.WaitGroup

	mu      sync.Mutex // guards what follows, the purses and the turns
	quota   *permitBuffer
	turns   scheduler
	gate    gate
	halted  bool
	rate    float64   // pushes a second in the share leased last
	asks    uint64    // so far
	wakes   time.Time // when the meter looks by itself
	swept   time.Time
	warned  time.Time
	spare   []*waiter // used ones
	stopped error     // set when Run has ended
}

// New makes the Governor of a project; with Run it hands out permits, without it only tells and sets.
func New(rdb redis.UniversalClient, project keys.ProjectKeys, o Options) (*Governor, error) {
	return newGovernor(server{rdb}, project, o)
}

func newGovernor(s scripts, project keys.ProjectKeys, o Options) (*Governor, error) {
	if project == (keys.ProjectKeys{}) {
		return nil, errors.New("pacing: no project is named")
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("pacing: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := newSharedState(s, project)
	g := &Governor{
		o: o, book: b, log: o.Logger, id: rand.Uint32(), wake: make(chan struct{}, 1),
		quota: &permitBuffer{keys: []string{b.pace, b.halts}, pace: o.Settings, gap: o.interval(), late: lateQuota},
		turns: scheduler{lines: map[string]*flow{}},
	}
	var err error
	if g.metrics, err = newMetrics(o.Registerer, g); err != nil {
		return nil, fmt.Errorf("pacing: %w", err)
	}
	return g, nil
}

// Run hands out permits until the context ends; whoever still waits then gets its error. It is called once.
func (g *Governor) Run(ctx context.Context) {
	g.work.Go(func() { g.book.listen(ctx, g.book.signal, g.heard) })
	g.meter(ctx)
	g.dismiss(fmt.Errorf("wait for the project's pace: %w", context.Cause(ctx)))
	g.work.Wait()
}
