// Package pacing keeps all replicas of a project within the quota that Firebase grants it.
//
// Each project has one cursor in Redis. It is the instant at which the next push that no one has
// leased may go. A replica leases a share, which is some tens of milliseconds of the project's
// rate. The lease moves the cursor, so the next replica's share lies behind it. This spreads the
// pushes of all replicas evenly, and no replica has to know the others. A share costs one round
// trip. The replica hands out its permits locally, each at its instant.
//
// All instants are on the server's clock. Each lease carries an era. A gate, a halt or a change of
// rate begins another era and makes earlier leases void. A signal announces it to the replicas at
// once, and their next lease does so too.
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

// Governor hands out a Firebase project's quota to one replica's pushes. It is safe for concurrent
// use.
type Governor struct {
	o       Options
	shared  *sharedState
	log     *slog.Logger
	metrics *metrics
	id      uint32        // identifies this replica in its lease requests
	wake    chan struct{} // makes the meter run at once
	work    sync.WaitGroup

	mu          sync.Mutex // guards the fields below, the permit buffers and the scheduler
	quota       *permitBuffer
	scheduler   scheduler
	gate        gate
	halted      bool
	rate        float64   // pushes a second in the last share
	requests    uint64    // lease requests so far
	wakeAt      time.Time // when the meter's timer fires
	lastSweep   time.Time
	lastWarning time.Time
	spare       []*waiter // waiters to use again
	stopErr     error     // set when Run has ended
}

// New returns the Governor of a project. Permits need Run; without it a Governor reads and changes
// the state in Redis.
func New(rdb redis.UniversalClient, project keys.ProjectKeys, o Options) (*Governor, error) {
	return newGovernor(server{rdb}, project, o)
}

func newGovernor(s scripts, project keys.ProjectKeys, o Options) (*Governor, error) {
	if project == (keys.ProjectKeys{}) {
		return nil, errors.New("pacing: project is missing")
	}
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("pacing: %w", err)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	b := newSharedState(s, project)
	g := &Governor{
		o: o, shared: b, log: o.Logger, id: rand.Uint32(), wake: make(chan struct{}, 1),
		quota:     &permitBuffer{keys: []string{b.pace, b.halts}, pace: o.Settings, interval: o.interval(), ttl: quotaPermitTTL},
		scheduler: scheduler{flows: map[string]*flow{}},
	}
	var err error
	if g.metrics, err = newMetrics(o.Registerer, g); err != nil {
		return nil, fmt.Errorf("pacing: %w", err)
	}
	return g, nil
}

// Run hands out permits until the context ends. Waits that are still open then return its error.
// Call it once.
func (g *Governor) Run(ctx context.Context) {
	g.work.Go(func() { g.shared.listen(ctx, g.shared.signal, g.receiveSignal) })
	g.meter(ctx)
	g.failWaiters(fmt.Errorf("wait for the project's pace: %w", context.Cause(ctx)))
	g.work.Wait()
}
