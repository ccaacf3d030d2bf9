// Package responder takes results from the list of responses and writes them to SQL. A result is removed from Redis
// only after its row is committed, so that being cut off anywhere repeats results, which SQL recognises, and loses none.
//
// Each goroutine role has a file of its own: worker, extender, reaper, trimmer, meter.
package responder

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
	"fanfare/internal/responses"
	"fanfare/internal/store"
)

// Applier writes results down: all of them or none, and harmlessly more than once.
type Applier interface {
	Apply(ctx context.Context, results []notification.Result) error
}

// Deps are the rooms that a responder stands on. Registerer may be nil.
type Deps struct {
	Queue       *queue.Queue // as responses.NewQueue opens it
	Applier     Applier
	FaultOf     func(error) store.Fault // tells what to do about an error of the Applier
	DeadLetters *responses.DeadLetters
	Logger      *slog.Logger
	Registerer  prometheus.Registerer
}

// Responder serves the list of responses. Several of them may serve one list.
type Responder struct {
	deps    Deps
	opts    Options
	log     *slog.Logger
	metrics *metrics
	leases  *leases
	halt    *halt
}

// New checks the options and makes a responder that Run starts.
func New(deps Deps, opts Options) (*Responder, error) {
	if err := opts.validate(); err != nil {
		return nil, fmt.Errorf("responder options: %w", err)
	}
	m, err := newMetrics(deps.Registerer)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	return &Responder{
		deps: deps, opts: opts, log: deps.Logger, metrics: m,
		leases: newLeases(), halt: newHalt(opts.Pause),
	}, nil
}

// Run serves until fetch ends: then nothing more is claimed, and what is claimed is written and removed. When work ends,
// what is left is given back, to be served first and in the old order. Neither Redis nor SQL being down ends it.
func (r *Responder) Run(fetch, work context.Context) error {
	keep, stopKeepers := context.WithCancel(context.WithoutCancel(work))
	defer stopKeepers()
	var workers, keepers sync.WaitGroup
	keepers.Go(func() { extender{r}.run(keep) })
	keepers.Go(func() { reaper{r}.run(keep) })
	keepers.Go(func() { trimmer{r}.run(keep) })
	keepers.Go(func() { meter{r}.run(keep) })
	for range r.opts.Workers {
		workers.Go(func() { newWorker(r).run(fetch, work) })
	}
	workers.Wait() // their leases are extended till then
	stopKeepers()
	keepers.Wait()
	return nil
}

// RunUntilDrained is Run until no result is left, be it waiting or in the hands of any responder. The error is that of
// fetch, if it ends before.
func (r *Responder) RunUntilDrained(fetch, work context.Context) error {
	fetch, stop := context.WithCancel(fetch)
	defer stop()
	var running sync.WaitGroup
	var runErr error
	running.Go(func() { runErr = r.Run(fetch, work) })
	err := r.AwaitDrained(fetch)
	stop()
	running.Wait()
	if err != nil {
		return err
	}
	return runErr
}

// Ready is an error while SQL or Redis refuses everything for a reason that only a person can mend.
func (r *Responder) Ready(context.Context) error { return r.halt.cause() }
