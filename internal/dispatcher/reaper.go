package dispatcher

import (
	"context"
	"math/rand/v2"
	"time"

	"fanfare/internal/queue"
)

// reaper gives back the recipients of processes that died.
type reaper struct{ d *Dispatcher }

func (r reaper) run(ctx context.Context) {
	for {
		// Replicas started together would otherwise all reap at the same moment.
		pause := r.d.opts.Lease/4 + rand.N(r.d.opts.Lease/4)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
			r.reap(ctx)
		}
	}
}

// reap is one tick.
func (r reaper) reap(ctx context.Context) {
	forEach(ctx, r.d.opts.redisTimeout(), r.d.roster.all(), func(ctx context.Context, camp *activeCampaign) { r.d.reap(ctx, camp.id, camp.queue) })
}

func (d *Dispatcher) reap(ctx context.Context, id string, q *queue.Queue) {
	n, err := q.Reap(ctx)
	if err != nil {
		if !isStopping(ctx) {
			d.log.Warn("expired leases not reaped; retrying", "campaign", id, "error", err)
		}
		return
	}
	if n > 0 {
		d.metrics.reaped.Add(float64(n))
		d.log.Info("recipients of a dead process given back", "campaign", id, "recipients", n)
	}
}

// tidy cleans up a campaign that does not run but has leases or results of a dead process.
func (d *Dispatcher) tidy(ctx context.Context, id string) {
	q, err := d.deps.Campaigns.Queue(id)
	if err != nil {
		return // not a campaign's id; discovery returns none
	}
	d.reap(ctx, id, q)
	d.forwarder.forward(ctx, q.List())
}
