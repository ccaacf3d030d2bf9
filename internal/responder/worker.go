package responder

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"fanfare/internal/leasekeeper"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
	"fanfare/internal/tracing"
)

// worker claims results, has them written, and removes them, one batch at a time.
type worker struct {
	queue   *queue.Queue
	writer  writer
	leases  *leasekeeper.Set[*leasekeeper.Lease]
	halt    *halt
	opts    Options
	metrics *metrics
	tracer  *tracing.Tracer
	work    *workCount
	log     *slog.Logger

	// claim is the id of the next claim. It stays the same until a reply arrives: repeating a
	// claim returns what the lost reply named.
	claim string
}

func (r *Responder) newWorker() *worker {
	return &worker{
		queue: r.deps.Queue, leases: r.leases, halt: r.halt, opts: r.opts, metrics: r.metrics, tracer: r.deps.Tracer, work: r.work, log: r.deps.Logger,
		writer: writer{
			applier: r.deps.Applier, faultOf: r.deps.FaultOf,
			backoff: leasekeeper.Backoff{Base: r.opts.RetryDelay, Limit: r.opts.MaxRetryDelay}, metrics: r.metrics, log: r.deps.Logger,
		},
		claim: queue.NewID(),
	}
}

// run claims until fetchCtx ends. The wait between claims grows while the list is empty and after
// errors.
func (w *worker) run(fetchCtx, workCtx context.Context) {
	defer func() { w.giveBack(workCtx, w.claim) }()
	idle := leasekeeper.Backoff{Base: w.opts.PollInterval, Limit: w.opts.MaxPollInterval}
	for {
		leave, err := w.halt.enter(fetchCtx)
		if err != nil {
			return
		}
		claimed := w.runOnce(workCtx)
		leave()
		switch {
		case claimed == w.opts.Batch:
			idle.Reset()
			continue // there may be more
		case claimed > 0:
			idle.Reset()
		}
		if !leasekeeper.Sleep(fetchCtx, leasekeeper.Jitter(idle.Next())) {
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
	w.claim = queue.NewID()
	if len(lease.Elements) == 0 {
		w.halt.endIfRedisRefused()
		return 0
	}
	w.process(workCtx, lease)
	return len(lease.Elements)
}

// process writes the results of a lease and removes them. It gives back what it cannot remove,
// unless the lease is lost.
func (w *worker) process(workCtx context.Context, lease queue.Lease) {
	leaseCtx, release := w.hold(workCtx, lease)
	defer release()
	b, claimed := decode(lease), time.Now()
	defer w.work.begin(b)()

	refused, err := w.writer.write(leaseCtx, b.results)
	if err == nil {
		err = w.settle(leaseCtx, workCtx, b.settlements(refused))
	}
	switch {
	case err == nil:
		w.metrics.countBatch(b, refused)
		w.trace(b, claimed, time.Now())
		w.work.written.Add(int64(len(b.results)))
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

var errLeaseLost = errors.New("lease is lost")

// hold has a lease extended until release is called. leaseCtx ends when the lease is lost or
// workCtx ends.
func (w *worker) hold(workCtx context.Context, claimed queue.Lease) (leaseCtx context.Context, release func()) {
	leaseCtx, cancel := context.WithCancelCause(workCtx)
	l := &leasekeeper.Lease{Queue: w.queue, Claim: claimed.Claim, OnLost: func() { cancel(errLeaseLost) }}
	l.ExtendTo(claimed.Until)
	w.leases.Add(l)
	return leaseCtx, func() {
		w.leases.Remove(l)
		cancel(nil)
	}
}

// settle removes written results. It retries until the grace ends or the lease is lost. Results
// that stay are only written again.
func (w *worker) settle(leaseCtx, workCtx context.Context, settlements []queue.Settlement) error {
	graceCtx, cancel := leasekeeper.WithGrace(workCtx, w.opts.GraceTimeout)
	defer cancel()
	wait := leasekeeper.Backoff{Base: w.opts.RetryDelay, Limit: w.opts.MaxRetryDelay}
	for {
		_, err := w.queue.Settle(graceCtx, settlements)
		if err == nil {
			return nil
		}
		if redisx.IsPermanent(err) {
			return err
		}
		w.log.Warn("result removal failed; retrying", "results", len(settlements), "error", err)
		if !leasekeeper.Sleep(graceCtx, leasekeeper.Jitter(wait.Next())) || errors.Is(context.Cause(leaseCtx), errLeaseLost) {
			return err
		}
	}
}

// giveBack returns a claim to the head of the list. If that fails, the reaper does it once the
// lease has expired.
func (w *worker) giveBack(workCtx context.Context, claim string) {
	graceCtx, cancel := leasekeeper.WithGrace(workCtx, w.opts.GraceTimeout)
	defer cancel()
	if _, err := w.queue.GiveBack(graceCtx, claim); err != nil {
		w.log.Warn("result give-back failed; results return when their lease expires", "claim", claim, "error", err)
	}
}

// trace records the last steps of the recipients that are traced: their results' wait in Redis, and
// the write.
func (w *worker) trace(b *batch, claimed, written time.Time) {
	if w.tracer == nil {
		return
	}
	for i := range b.results {
		t := w.tracer.Find(b.results[i].ResultID)
		t.Span("results list", b.results[i].At, claimed)
		t.Span("write", claimed, written)
	}
}
