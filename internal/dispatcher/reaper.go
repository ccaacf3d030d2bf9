package dispatcher

import (
	"context"
	"math/rand/v2"
	"time"
)

// reaper gives back what processes that died had claimed.
type reaper struct{ d *Dispatcher }

func (r reaper) run(ctx context.Context) error {
	for {
		// Replicas started together would otherwise all reap at the same moment.
		pause := r.d.opts.Lease/4 + rand.N(r.d.opts.Lease/4)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
			r.reap(ctx)
		}
	}
}

// reap is one tick.
func (r reaper) reap(ctx context.Context) {
	for _, camp := range r.d.roster.all() {
		n, err := camp.queue.Reap(ctx)
		if err != nil {
			if ctx.Err() == nil {
				r.d.log.Warn("reap expired leases", "campaign", camp.id, "error", err)
			}
			continue
		}
		if n > 0 {
			r.d.metrics.reaped.Add(float64(n))
			r.d.log.Info("recipients of a lost sender are given back", "campaign", camp.id, "recipients", n)
		}
	}
}
