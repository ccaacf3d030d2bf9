package dispatcher

import (
	"context"
	"time"
)

// completer ends the campaigns that are drained. Whether one really is, the script decides: other processes may
// still hold recipients of it.
type completer struct{ d *Dispatcher }

func (c completer) run(ctx context.Context) {
	tick := time.NewTicker(c.d.opts.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.complete(ctx)
		}
	}
}

// complete is one tick.
func (c completer) complete(ctx context.Context) {
	for _, camp := range c.d.roster.all() {
		if !camp.empty.Load() || camp.inflight.Load() > 0 {
			continue
		}
		c.d.forwarder.forward(ctx, camp.queue.List()) // a campaign is not complete before its results are out
		done, err := c.d.deps.Campaigns.Complete(ctx, camp.id)
		if err != nil {
			if ctx.Err() == nil {
				c.d.quietly.Do(func() { c.d.log.Warn("complete campaign: trying again", "campaign", camp.id, "error", err) })
			}
			continue
		}
		if done {
			c.d.log.Info("campaign has ended: nobody is left", "campaign", camp.id)
			c.d.roster.drop(camp)
		}
	}
}
