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
		c.logEnd(ctx, camp.id, how)
		c.roster.drop(camp)
	}
}

// logEnd logs the end of a campaign with its counts. If they cannot be read, the line has none. A
// Job stops when its campaign ends, which must not cut off these reads.
func (c *completer) logEnd(ctx context.Context, id string, how campaign.Ending) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.timeout)
	defer cancel()
	attrs := []any{"campaign", id}
	spec, specErr := c.campaigns.Get(ctx, id)
	books, booksErr := c.campaigns.Books(ctx, id)
	if specErr != nil || booksErr != nil {
		attrs = append(attrs, "missing", how.Missing)
	} else {
		attrs = append(attrs, "state", spec.State)
		attrs = append(attrs, countAttrs(books)...)
		attrs = append(attrs, "codes", books.Codes, "resent", books.Resent, "lost", books.Lost)
		if took := spec.FinishedAt.Sub(spec.StartedAt); !spec.StartedAt.IsZero() && took > 0 {
			attrs = append(attrs, "took", took.Round(time.Millisecond), "rate", int64(float64(books.CountEnded())/took.Seconds()))
		}
	}
	switch {
	case how.Missing > 0:
		c.log.Error("campaign completed with missing recipients", append(attrs, "reason", how.Reason)...)
	case how.Reason != "":
		c.log.Warn("campaign completed with problems", append(attrs, "reason", how.Reason)...)
	default:
		c.log.Info("campaign completed", attrs...)
	}
}
