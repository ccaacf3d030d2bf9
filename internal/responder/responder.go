// Package responder writes results from the list of responses to SQL. It removes a result from
// Redis only after its row is committed. A crash or a lost connection therefore repeats results,
// which SQL recognises, and loses none.
//
// The roles are goroutines: workers write results, an extender keeps their leases, and the periodic
// roles reap expired leases, trim dead letters and measure the list.
package responder

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/fleet"
	"fanfare/internal/leasekeeper"
	"fanfare/internal/notification"
	"fanfare/internal/periodic"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
	"fanfare/internal/store"
	"fanfare/internal/tracing"
)

// Applier writes results to a database: all of them or none. Repeating a call is harmless.
type Applier interface {
	Apply(ctx context.Context, results []notification.Result) error
}

// Histories are the histories of the campaigns in Redis; *campaign.Campaigns implements it.
type Histories interface {
	VisitNewHistory(ctx context.Context, after map[string]string, visit func(campaign string, entries []notification.HistoryEntry) error) error
}

// HistoryWriter writes histories to a database. Repeating a call is harmless.
type HistoryWriter interface {
	AddHistory(ctx context.Context, campaign string, entries []notification.HistoryEntry) error
}

// Deps are what a responder works with. Registerer may be nil, and without
// Histories none are copied.
type Deps struct {
	Queue       *queue.Queue // opened by responses.NewQueue
	Applier     Applier
	FaultOf     func(error) store.Fault // classifies an error of the Applier
	DeadLetters *responses.DeadLetters
	Histories   Histories
	History     HistoryWriter
	Tracer      *tracing.Tracer // nil: no traces
	Logger      *slog.Logger
	Registerer  prometheus.Registerer
}

// Responder serves the list of responses. Several responders may serve one list.
type Responder struct {
	deps    Deps
	opts    Options
	metrics *metrics
	leases  *leasekeeper.Set[*leasekeeper.Lease]
	halt    *halt
	work    *workCount
}

// New returns a responder that Run starts.
func New(deps Deps, opts Options) (*Responder, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("responder options: %w", err)
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return &Responder{
		deps: deps, opts: opts, metrics: m,
		leases: leasekeeper.NewSet[*leasekeeper.Lease](), halt: newHalt(opts.HaltDelay, m.halted, deps.Logger),
		work: newWorkCount(),
	}, nil
}

// Run claims results until fetchCtx ends, and then finishes what it has claimed. When workCtx ends,
// it gives unfinished results back, to be served first and in the old order. An outage of Redis or
// SQL does not end it.
func (r *Responder) Run(fetchCtx, workCtx context.Context) error {
	keepCtx, stopKeepers := context.WithCancel(context.WithoutCancel(workCtx))
	defer stopKeepers()
	var workers, keepers sync.WaitGroup
	log, q := r.deps.Logger, r.deps.Queue
	keepers.Go(func() { r.newExtender().Run(keepCtx) })
	keepers.Go(func() {
		reaper := r.newReaper()
		reaper.Reap(keepCtx)
		reaper.Run(keepCtx)
	})
	keepers.Go(func() {
		periodic.RunNow(keepCtx, r.opts.TrimInterval, trimmer{r.deps.DeadLetters, r.metrics, log}.trim)
	})
	keepers.Go(func() { periodic.RunNow(keepCtx, r.opts.MeterInterval, meter{q, r.work, r.metrics, log}.measure) })
	if r.deps.Histories != nil {
		copier := newHistoryCopier(r.deps.Histories, r.deps.History, log)
		keepers.Go(func() { periodic.RunNow(keepCtx, r.opts.HistoryInterval, copier.copy) })
	}
	for range r.opts.Workers {
		workers.Go(func() { r.newWorker().run(fetchCtx, workCtx) })
	}
	workers.Wait() // their leases are extended until then
	stopKeepers()
	keepers.Wait()
	return nil
}

// RunUntilDrained is Run until no result waits or is in flight at any responder. The error is that
// of fetchCtx, if it ends before.
func (r *Responder) RunUntilDrained(fetchCtx, workCtx context.Context) error {
	fetchCtx, stop := context.WithCancel(fetchCtx)
	defer stop()
	var running sync.WaitGroup
	var runErr error
	running.Go(func() { runErr = r.Run(fetchCtx, workCtx) })
	err := r.AwaitDrained(fetchCtx)
	stop()
	running.Wait()
	if err != nil {
		return err
	}
	return runErr
}

// AwaitDrained waits until no result waits or is in flight at any responder. The error is that of
// ctx.
func (r *Responder) AwaitDrained(ctx context.Context) error {
	for {
		c, err := r.deps.Queue.Count(ctx)
		if err == nil && c.Listed+c.Back+c.Retrying+c.InFlight == 0 {
			return nil
		}
		if !leasekeeper.Sleep(ctx, r.opts.PollInterval) {
			return ctx.Err()
		}
	}
}

// Load returns what this process works on, for its heartbeat.
func (r *Responder) Load() fleet.Load {
	load := fleet.Load{Held: r.work.held.Load(), Done: r.work.written.Load()}
	var since time.Time
	if load.Leases, since = r.leases.Oldest(); load.Leases > 0 {
		load.OldestLease = time.Since(since)
	}
	return load
}

// Ready returns an error while SQL or Redis refuses everything and a person has to act.
func (r *Responder) Ready(context.Context) error { return r.halt.cause() }
