package leasekeeper

import (
	"context"
	"time"

	"fanfare/internal/periodic"
	"fanfare/internal/queue"
)

// Reaper takes back the elements of processes that died or stalled.
type Reaper struct {
	// Queues returns the queues to look at.
	Queues func() []*queue.Queue
	// Interval is the longest wait between two ticks.
	Interval time.Duration
	// Timeout limits one tick.
	Timeout time.Duration
	// OnReaped is called when elements of a queue were taken back.
	OnReaped func(q *queue.Queue, elements int)
	// OnError is called when a queue could not be reaped, or only in part.
	OnError func(ctx context.Context, q *queue.Queue, err error)
}

// Run reaps until ctx ends, first after a wait. The waits differ: replicas started together would
// otherwise all reap at the same moment.
func (r *Reaper) Run(ctx context.Context) {
	for Sleep(ctx, Jitter(r.Interval)) {
		r.Reap(ctx)
	}
}

// Reap is one tick.
func (r *Reaper) Reap(ctx context.Context) {
	periodic.ForEach(ctx, r.Timeout, r.Queues(), func(tickCtx context.Context, q *queue.Queue) {
		r.reap(ctx, tickCtx, q)
	})
}

// ReapQueue reaps one queue.
func (r *Reaper) ReapQueue(ctx context.Context, q *queue.Queue) { r.reap(ctx, ctx, q) }

func (r *Reaper) reap(ctx, tickCtx context.Context, q *queue.Queue) {
	n, err := q.Reap(tickCtx)
	if n > 0 {
		r.OnReaped(q, n)
	}
	if err != nil {
		r.OnError(ctx, q, err)
	}
}
