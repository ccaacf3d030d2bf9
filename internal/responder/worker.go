package responder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"fanfare/internal/queue"
	"fanfare/internal/redisx"
)

// worker claims results, has them written, and removes them, one batch at a time.
type worker struct {
	queue   *queue.Queue
	writer  writer
	leases  *leases
	halt    *halt
	opts    Options
	metrics *metrics
	log     *slog.Logger

	// claim is the id of the next claim. It stays the same until a reply arrives: repeating a
	// claim returns what the lost reply named.
	claim string
}

func (r *Responder) newWorker() *worker {
	return &worker{
		queue: r.deps.Queue, leases: r.leases, halt: r.halt, opts: r.opts, metrics: r.metrics, log: r.deps.Logger,
		writer: writer{
			applier: r.deps.Applier, faultOf: r.deps.FaultOf,
			backoff: backoff{base: r.opts.RetryDelay, limit: r.opts.MaxRetryDelay}, metrics: r.metrics, log: r.deps.Logger,
		},
		claim: queue.NewClaimID(),
	}
}

// run claims until fetchCtx ends. The wait between claims grows while the list is empty and after
// errors.
func (w *worker) run(fetchCtx, workCtx context.Context) {
	defer func() { w.giveBack(workCtx, w.claim) }()
	idle := backoff{base: w.opts.PollInterval, limit: w.opts.MaxPollInterval}
	for {
		leave, err := w.halt.enter(fetchCtx)
		if err != nil {
			return
		}
		claimed := w.runOnce(workCtx)
		leave()
		switch {
		case claimed == w.opts.Batch:
			idle.reset()
			continue // there may be more
		case claimed > 0:
			idle.reset()
		}
		if !sleep(fetchCtx, idle.next()) {
			return
		}
	}
}

// runOnce processes one batch and returns how many results it claimed. The claim uses workCtx: if
// the end of fetchCtx cut it off, its results would be leased to no worker.
func (w *worker) runOnce(workCtx context.Context) (claimed int) {
	if workCtx.Err() != nil {
		return 0
	}
	lease, err := w.queue.Claim(workCtx, w.claim, w.opts.Batch)
	if err != nil {
		if !w.halt.beginIfPermanent(err) && workCtx.Err() == nil {
			w.log.Warn("result claim failed; retrying", "error", err)
		}
		return 0
	}
	w.claim = queue.NewClaimID()
	if len(lease.Elements) == 0 {
		w.metrics.lag.Set(0)
		w.halt.endIfRedisRefused()
		return 0
	}
	w.process(workCtx, lease)
	return len(lease.Elements)
}

// process writes the results of a lease and removes them. It gives back what it cannot remove,
// unless the lease is lost.
func (w *worker) process(workCtx context.Context, lease queue.Lease) {
	leaseCtx, untrack := w.leases.track(workCtx, lease)
	defer untrack()
	b := decode(lease)
	w.metrics.lag.Set(b.lag().Seconds())

	refused, err := w.writer.write(leaseCtx, b.results)
	if err == nil {
		err = w.settle(leaseCtx, workCtx, b.settlements(refused))
	}
	switch {
	case err == nil:
		w.metrics.countBatch(b, refused)
		if len(b.results) > len(refused) {
			w.halt.end()
		}
	case errors.Is(context.Cause(leaseCtx), errLeaseLost):
		w.metrics.lost.Add(float64(len(lease.Elements)))
		w.log.Warn("lease lost; another responder writes these results", "claim", lease.Claim, "results", len(lease.Elements))
	default:
		w.halt.beginIfPermanent(err)
		w.giveBack(workCtx, lease.Claim)
	}
}

// settle removes written results. It retries until the grace ends or the lease is lost. Results
// that stay are only written again.
func (w *worker) settle(leaseCtx, workCtx context.Context, settlements []queue.Settlement) error {
	graceCtx, cancel := withGrace(workCtx, w.opts.GraceTimeout)
	defer cancel()
	wait := backoff{base: w.opts.RetryDelay, limit: w.opts.MaxRetryDelay}
	for {
		_, err := w.queue.Settle(graceCtx, settlements)
		if err == nil {
			return nil
		}
		if redisx.IsPermanent(err) {
			return err
		}
		w.log.Warn("result removal failed; retrying", "results", len(settlements), "error", err)
		if !sleep(graceCtx, wait.next()) || errors.Is(context.Cause(leaseCtx), errLeaseLost) {
			return err
		}
	}
}

// giveBack returns a claim to the head of the list. If that fails, the reaper does it once the
// lease has expired.
func (w *worker) giveBack(workCtx context.Context, claim string) {
	graceCtx, cancel := withGrace(workCtx, w.opts.GraceTimeout)
	defer cancel()
	if _, err := w.queue.GiveBack(graceCtx, claim); err != nil {
		w.log.Warn("result give-back failed; results return when their lease expires", "claim", claim, "error", err)
	}
}

// withGrace returns a context that ends a grace after workCtx does.
func withGrace(workCtx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(workCtx))
	unwatch := context.AfterFunc(workCtx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() {
		unwatch()
		cancel()
	}
}
