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

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
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

// metrics are this package's own. A nil registerer leaves them unregistered.
type metrics struct {
	granted, shares, dropped prometheus.Counter
}

const (
	namespace = "fanfare"
	subsystem = "pacing"
)

func newMetrics(reg prometheus.Registerer, g *Governor) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help})
	}
	gauge := func(name, help string, read func(now time.Time) float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: namespace, Subsystem: subsystem, Name: name, Help: help}, func() float64 {
			g.mu.Lock()
			defer g.mu.Unlock()
			return read(time.Now())
		})
	}
	m := &metrics{
		granted: counter("permits_total", "Pushes that were let go."),
		shares:  counter("shares_total", "Shares of the quota, and of campaigns' own rates, leased from Redis."),
		dropped: counter("permits_dropped_total", "Permits leased and not spent: too late, or void after a gate, a halt or another rate."),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.granted, m.shares, m.dropped,
		gauge("waiting", "Pushes that wait for their turn.", func(time.Time) float64 { return float64(g.scheduler.waiting) }),
		gauge("gate_closed", "1 while the gate is closed, by FCM or by a person.", func(now time.Time) float64 { return bit(g.gate.isClosed(now)) }),
		gauge("halted", "1 while the project is halted.", func(time.Time) float64 { return bit(g.halted) }),
		gauge("rate", "Pushes a second of the whole project, in the share leased last.", func(time.Time) float64 { return g.rate }),
	} {
		if err := reg.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func bit(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
