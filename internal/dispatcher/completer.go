package dispatcher

import (
	"context"
	"slices"

	"fanfare/internal/periodic"
)

// completer completes drained campaigns. The script decides whether a campaign is drained: other
// processes may hold recipients of it.
type completer struct{ d *Dispatcher }

func (c completer) run(ctx context.Context) {
	periodic.Run(ctx, c.d.opts.Poll, c.complete)
}

// complete is one tick.
func (c completer) complete(ctx context.Context) {
	drained := slices.DeleteFunc(c.d.roster.all(), func(camp *activeCampaign) bool { return !camp.empty.Load() || camp.inflight.Load() > 0 })
	forEach(ctx, c.d.opts.redisTimeout(), drained, c.completeOne)
}

func (c completer) completeOne(ctx context.Context, camp *activeCampaign) {
	c.d.forwarder.forward(ctx, camp.queue.List()) // a campaign completes only after its results are forwarded
	done, how, err := c.d.deps.Campaigns.Complete(ctx, camp.id)
	if err != nil {
		if !isStopping(ctx) {
			c.d.quietly.Do(func() { c.d.log.Warn("campaign not completed; retrying", "campaign", camp.id, "error", err) })
		}
		return
	}
	switch {
	case how.Missing > 0:
		c.d.log.Error("campaign completed with missing recipients", "campaign", camp.id, "missing", how.Missing, "reason", how.Reason)
	case how.Reason != "":
		c.d.log.Warn("campaign completed with problems", "campaign", camp.id, "reason", how.Reason)
	case done:
		c.d.log.Info("campaign completed", "campaign", camp.id)
	}
	if done {
		c.d.roster.drop(camp)
	}
}
