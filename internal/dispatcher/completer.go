package dispatcher

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/periodic"
)

// completer completes drained campaigns. The script decides whether a campaign is drained: other
// processes may hold recipients of it.
type completer struct {
	campaigns *campaign.Campaigns
	roster    *roster
	forward   func(ctx context.Context, campaign keys.List)
	interval  time.Duration
	timeout   time.Duration // limits one tick
	ends      *endLogger
	log       *slog.Logger
}

func (c *completer) run(ctx context.Context) {
	periodic.Run(ctx, c.interval, c.complete)
}

// complete is one tick.
func (c *completer) complete(ctx context.Context) {
	drained := slices.DeleteFunc(c.roster.all(), func(camp *activeCampaign) bool { return !camp.empty.Load() || camp.inflight.Load() > 0 })
	periodic.ForEach(ctx, c.timeout, drained, c.completeOne)
}

func (c *completer) completeOne(ctx context.Context, camp *activeCampaign) {
	c.forward(ctx, camp.queue.List()) // a campaign completes only after its results are forwarded
	done, how, err := c.campaigns.Complete(ctx, camp.id)
	if err != nil {
		if !isStopping(ctx) {
			c.log.Warn("campaign not completed; retrying", "campaign", camp.id, "error", err)
		}
		return
	}
	if done {
		c.ends.logEnd(ctx, camp.id, how)
		c.roster.drop(camp)
	}
}
