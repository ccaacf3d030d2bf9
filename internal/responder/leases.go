package responder

import (
	"context"

	"fanfare/internal/leasekeeper"
	"fanfare/internal/queue"
)

// newExtender makes the role that extends the leases of batches, so that a slow database does not
// lose them. A batch is dropped when its lease could not be extended in time: another responder may
// have its results.
func (r *Responder) newExtender() *leasekeeper.Extender {
	return &leasekeeper.Extender{
		Leases: r.leases,
		TTL:    r.deps.Queue.LeaseTTL(),
		OnError: func(ctx context.Context, _ *queue.Queue, claims []string, err error) {
			if ctx.Err() == nil {
				r.deps.Logger.Warn("lease extension failed; retrying", "leases", len(claims), "error", err)
			}
		},
	}
}

// newReaper makes the role that takes back the results of responders that died or stalled.
func (r *Responder) newReaper() *leasekeeper.Reaper {
	return &leasekeeper.Reaper{
		Queues:   func() []*queue.Queue { return []*queue.Queue{r.deps.Queue} },
		Interval: r.opts.ReapInterval,
		Timeout:  r.opts.ReapInterval,
		OnReaped: func(_ *queue.Queue, results int) {
			r.metrics.reaped.Add(float64(results))
			r.deps.Logger.Info("expired leases reaped; results return to the list", "results", results)
		},
		OnError: func(ctx context.Context, _ *queue.Queue, err error) {
			if ctx.Err() == nil {
				r.deps.Logger.Warn("lease reaping failed; retrying", "error", err)
			}
		},
	}
}
