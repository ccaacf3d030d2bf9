package dispatcher

import (
	"context"
	"maps"
	"slices"
	"time"

	"fanfare/internal/periodic"
)

// extender extends the leases of this process. It runs longer than the pool, because outcomes that
// wait to be written need their lease.
type extender struct{ d *Dispatcher }

func (e extender) run(keep context.Context) {
	periodic.Run(keep, e.d.opts.redisTimeout(), e.extend)
}

// extend is one tick. A lease that could not be extended ends by this process's clock, and nothing
// more is sent from it.
func (e extender) extend(keep context.Context) {
	held := e.d.leases.byCampaign()
	forEach(keep, e.d.opts.redisTimeout(), slices.Collect(maps.Keys(held)), func(keep context.Context, camp *activeCampaign) {
		e.extendCampaign(keep, camp, held[camp])
	})
}

// extendCampaign extends the leases of one campaign, and then their places in its canary.
func (e extender) extendCampaign(keep context.Context, camp *activeCampaign, leases []*lease) {
	claims := make([]string, len(leases))
	for i, l := range leases {
		claims[i] = l.claim
	}
	until := e.d.now().Add(e.d.opts.Lease)
	lost, err := camp.queue.Extend(keep, claims...)
	if err != nil {
		e.d.log.Warn("leases not extended; expired ones are not sent from", "campaign", camp.id, "leases", len(claims), "error", err)
		return
	}
	for _, l := range leases {
		if slices.Contains(lost, l.claim) {
			l.extendTo(time.Time{})
			continue
		}
		l.extendTo(until)
	}
	e.extendCanary(keep, camp, claims)
}

// extendCanary keeps the claims' places in the campaign's canary. A lost place is given to another
// claim.
func (e extender) extendCanary(keep context.Context, camp *activeCampaign, claims []string) {
	if e.d.deps.Breakers == nil {
		return
	}
	if err := e.d.deps.Breakers.Extend(keep, camp.queue.List(), claims...); err != nil {
		e.d.log.Warn("canary places not extended", "campaign", camp.id, "error", err)
	}
}
