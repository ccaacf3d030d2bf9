package responder

import (
	"context"
	"errors"
	"time"

	"fanfare/internal/queue"
	"fanfare/internal/redisx"
)

// worker claims results, has them written, and removes them: one batch at a time.
type worker struct {
	r     *Responder
	claim string // the next one's id, kept until its reply has come: what an unheard claim took is got by repeating it
}

func newWorker(r *Responder) *worker { return &worker{r: r, claim: queue.NewClaimID()} }

// run claims until fetch ends. A lull lengthens the wait between claims; an error does so too.
func (w *worker) run(fetch, work context.Context) {
	defer func() { w.r.giveBack(work, w.claim) }()
	idle := backoff{base: w.r.opts.Poll, limit: w.r.opts.MaxPoll}
	for {
		leave, err := w.r.halt.enter(fetch)
		if err != nil {
			return
		}
		claimed := w.runOnce(work)
		leave()
		switch {
		case claimed == w.r.opts.Batch:
			idle.reset()
			continue // there may be more
		case claimed > 0:
			idle.reset()
		}
		if !sleep(fetch, idle.next()) {
			return
		}
	}
}

// runOnce serves one batch and tells how many results it claimed. The claim is made under work: one that was cut short
// by fetch could have taken results unheard.
func (w *worker) runOnce(work context.Context) (claimed int) {
	if work.Err() != nil {
		return 0
	}
	lease, err := w.r.deps.Queue.Claim(work, w.claim, w.r.opts.Batch)
	if err != nil {
		if !w.r.halted(err) && work.Err() == nil {
			w.r.log.Warn("claim results: trying again", "error", err)
		}
		return 0
	}
	w.claim = queue.NewClaimID()
	if len(lease.Elements) == 0 {
		w.r.metrics.lag.Set(0)
		w.r.heard()
		return 0
	}
	w.serve(work, lease)
	return len(lease.Elements)
}

// serve writes a lease's results and removes them. Whatever is not removed goes back, unless the lease is another's by then.
func (w *worker) serve(work context.Context, lease queue.Lease) {
	held, release := w.r.leases.hold(work, lease)
	defer release()
	b := decode(lease)
	w.r.metrics.lag.Set(b.lag().Seconds())

	refused, err := w.r.apply(held, b.results)
	if err == nil {
		err = w.r.settle(held, work, b.settlements(refused))
	}
	switch {
	case err == nil:
		w.r.metrics.settled(b, refused)
		w.r.served(len(b.results) - len(refused))
	case errors.Is(context.Cause(held), errLeaseLost):
		w.r.metrics.lost.Add(float64(len(lease.Elements)))
		w.r.log.Warn("lease is lost: another responder writes these results", "claim", lease.Claim, "results", len(lease.Elements))
	default:
		w.r.halted(err)
		w.r.giveBack(work, lease.Claim)
	}
}

// settle removes written results, trying again until the grace is over or the lease is lost: otherwise they are only written
// once more.
func (r *Responder) settle(held, work context.Context, settlements []queue.Settlement) error {
	ctx, cancel := r.graceful(work)
	defer cancel()
	wait := backoff{base: r.opts.Backoff, limit: r.opts.MaxBackoff}
	for {
		_, err := r.deps.Queue.Settle(ctx, settlements)
		if err == nil {
			return nil
		}
		if redisx.Permanent(err) {
			return err
		}
		r.log.Warn("remove written results: trying again", "results", len(settlements), "error", err)
		if !sleep(ctx, wait.next()) || errors.Is(context.Cause(held), errLeaseLost) {
			return err
		}
	}
}

// giveBack returns a claim to the head of the list; if it cannot, the reaper does so when the lease has run out.
func (r *Responder) giveBack(work context.Context, claim string) {
	ctx, cancel := r.graceful(work)
	defer cancel()
	if _, err := r.deps.Queue.GiveBack(ctx, claim); err != nil {
		r.log.Warn("give results back: they return when their lease has run out", "claim", claim, "error", err)
	}
}

// graceful outlives work by the grace.
func (r *Responder) graceful(work context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(work))
	unwatch := context.AfterFunc(work, func() {
		timer := time.AfterFunc(r.opts.Grace, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() {
		unwatch()
		cancel()
	}
}
