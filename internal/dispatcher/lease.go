package dispatcher

import (
	"context"
	"log/slog"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/keys"
	"fanfare/internal/leasekeeper"
	"fanfare/internal/queue"
)

// lease is one claim of this process. It is open until each element has an outcome or goes back.
type lease struct {
	leasekeeper.Lease
	camp            *activeCampaign
	round           int64     // breaker round that admitted it, in ms of the server's clock
	afterProbe      bool      // FCM answered a probe just before the round
	claimedAt       time.Time // before the claim, this process's clock: a slow reply moves no deadline
	claimedAtServer time.Time // the claim, server's clock
	expiry          time.Time // of the producer's list, server's clock; zero: none
	assumed         bool      // expiry is a default: the campaign's own deadline goes first
	open            int       // elements without an outcome; used by the acker only
	returned        bool      // an element goes back unsent; used by the acker only

	unwritten bool // an outcome could not be written; used by the batch's writer only
}

// newLease prepares the claim of a campaign's recipients.
func newLease(camp *activeCampaign) *lease {
	return &lease{Lease: leasekeeper.Lease{Queue: camp.queue, Claim: queue.NewID()}, camp: camp}
}

// localTime converts a time of the server's clock to this process's clock; zero stays zero.
func (l *lease) localTime(server time.Time) time.Time {
	if server.IsZero() {
		return server
	}
	return l.claimedAt.Add(server.Sub(l.claimedAtServer))
}

// serverTime converts a time of this process's clock to the server's clock.
func (l *lease) serverTime(local time.Time) time.Time {
	return l.claimedAtServer.Add(local.Sub(l.claimedAt))
}

// deadline is the list's or the campaign's, whichever is earlier, by this process's clock; zero:
// none. The campaign's may change while the lease is held.
func (l *lease) deadline() time.Time {
	own := l.localTime(l.camp.settings.Load().deadline)
	return campaign.Earliest(l.listDeadline(), own)
}

// listDeadline is the list's, by this process's clock. It is zero if there is none, or if it is a
// default and the campaign has its own.
func (l *lease) listDeadline() time.Time {
	if l.assumed && !l.camp.settings.Load().deadline.IsZero() {
		return time.Time{}
	}
	return l.localTime(l.expiry)
}

// newExtender makes the role that extends the leases of this process, and then the claims' places
// in their campaign's canary. A lost place is given to another claim. It runs longer than the pool,
// because outcomes that wait to be written need their lease.
func newExtender(leases *leasekeeper.Set[*lease], breakers *breaker.Breakers, names keys.Names, opts Options, log *slog.Logger) *leasekeeper.Extender {
	return &leasekeeper.Extender{
		Leases: leases,
		TTL:    opts.Lease,
		OnExtended: func(ctx context.Context, q *queue.Queue, claims []string) {
			if breakers == nil {
				return
			}
			if err := breakers.Extend(ctx, q.List(), claims...); err != nil {
				log.Warn("canary places not extended", "campaign", campaignOf(names, q), "error", err)
			}
		},
		OnError: func(_ context.Context, q *queue.Queue, claims []string, err error) {
			log.Warn("leases not extended; expired ones are not sent from", "campaign", campaignOf(names, q), "leases", len(claims), "error", err)
		},
	}
}

// newReaper makes the role that gives back the recipients of processes that died.
func newReaper(campaigns *roster, names keys.Names, opts Options, m *metrics, log *slog.Logger) *leasekeeper.Reaper {
	return &leasekeeper.Reaper{
		Queues:   campaigns.queues,
		Interval: opts.Lease / 2,
		Timeout:  opts.redisTimeout(),
		OnReaped: func(q *queue.Queue, recipients int) {
			m.reaped.Add(float64(recipients))
			log.Info("recipients of a dead process given back", "campaign", campaignOf(names, q), "recipients", recipients)
		},
		OnError: func(ctx context.Context, q *queue.Queue, err error) {
			if !isStopping(ctx) {
				log.Warn("expired leases not reaped; retrying", "campaign", campaignOf(names, q), "error", err)
			}
		},
	}
}

// campaignOf is the id of a queue's campaign, for the log.
func campaignOf(names keys.Names, q *queue.Queue) string {
	id, _ := names.ParseCampaign(q.List().Plain())
	return id
}
