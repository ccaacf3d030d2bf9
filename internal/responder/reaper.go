package responder

import (
	"context"
	"time"
)

// reaper takes back the results of responders that died or stood still.
type reaper struct{ r *Responder }

func (p reaper) run(ctx context.Context) {
	tick := time.NewTicker(p.r.opts.Reap)
	defer tick.Stop()
	for {
		p.reap(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// reap is one tick.
func (p reaper) reap(ctx context.Context) {
	n, err := p.r.deps.Queue.Reap(ctx)
	if err != nil && ctx.Err() == nil {
		p.r.log.Warn("reap expired leases: trying again", "error", err)
	}
	if n > 0 {
		p.r.metrics.reaped.Add(float64(n))
		p.r.log.Info("took back results whose lease had run out", "results", n)
	}
}
