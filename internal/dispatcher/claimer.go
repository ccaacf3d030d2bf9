package dispatcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"fanfare/internal/campaign"
	"fanfare/internal/leasekeeper"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
)

// claimer claims recipients for the campaigns with the smallest shares of the pool, never more than
// there are free slots.
type claimer struct {
	opts    Options
	roster  *roster
	slots   *slots
	leases  *leasekeeper.Set[*lease]
	canary  admission // the reporter
	fcm     fcmStatus // the prober
	prepare func(fetch context.Context, l *lease, claimed queue.Lease)
	redis   redisWriter
	metrics *metrics
	now     func() time.Time
	log     *slog.Logger

	turn   uint64
	claims *errgroup.Group // claims under way, with the preparation of their recipients
}

// admission limits how many recipients may be claimed.
type admission interface {
	admit(ctx context.Context, l *lease, n int) (admitted int, err error)
	countEnded(l *lease, n int)
	report(keep context.Context, bound time.Duration)
}

// fcmStatus tells when this process must claim nothing until FCM answers a probe.
type fcmStatus interface {
	isRefused() bool
	hasOutageOf(campaign string) bool
}

// minSlots is how many slots must be free before a claim: half of those held ahead. The other half
// keeps the pool busy during the claim, and fewer round trips are needed.
func (c *claimer) minSlots() int { return max(1, c.opts.ahead()/2) }

// run claims until ctx ends. It returns when all claimed recipients have reached the pool. An error
// ends a Job.
func (c *claimer) run(ctx context.Context) error {
	c.claims, ctx = errgroup.WithContext(ctx)
	for {
		free, err := c.slots.take(ctx, c.minSlots(), c.opts.Claim)
		if err != nil {
			break
		}
		if asked := c.round(ctx, free); asked == 0 && !c.waitForWork(ctx) {
			break
		}
	}
	return c.claims.Wait()
}

// roundTimeout limits the wait for the slowest claim of a round. It must be long enough for a busy
// Redis: campaigns of lower priority get nothing while one of higher priority claims.
const roundTimeout = time.Second

// round divides the free slots and claims for each campaign concurrently. Campaigns on a shard that
// does not answer get no slots until their claims have ended. It returns how many campaigns were
// asked: none when all were just found empty.
func (c *claimer) round(ctx context.Context, free int) (asked int) {
	grants := c.share(free)
	answered := make(chan struct{}, len(grants))
	for camp, n := range grants {
		free -= n
		camp.claiming.Store(true)
		c.claims.Go(func() error {
			defer func() { answered <- struct{}{} }()
			defer camp.claiming.Store(false)
			return c.claim(ctx, camp, n)
		})
	}
	c.slots.release(free)
	late := time.After(roundTimeout)
	for range grants {
		select {
		case <-answered:
		case <-late:
			return len(grants)
		}
	}
	return len(grants)
}

// share divides the free slots among the campaigns that may be claimed from now.
func (c *claimer) share(free int) map[*activeCampaign]int {
	now := c.now()
	serving := c.roster.all()
	byID := make(map[string]*activeCampaign, len(serving))
	contenders := make([]campaign.Contender, len(serving))
	highest := 0
	for _, camp := range serving {
		highest = max(highest, camp.settings.Load().priority)
	}
	for i, camp := range serving {
		byID[camp.id] = camp
		current := camp.settings.Load()
		priority, overdue := current.priority, camp.isOverdue(now)
		if overdue {
			priority = highest // expired recipients need no pushes, so no campaign delays them
		}
		contenders[i] = campaign.Contender{
			ID: camp.id, Weight: current.weight, Priority: priority, MaxSlots: current.maxSlots(),
			InFlight: int(camp.inflight.Load()), Turn: camp.lastTurn,
			Idle: camp.claiming.Load() || camp.isBehind(c.opts.AckBatch) || !overdue && camp.outage.isStopped() || now.Before(camp.idleUntil),
		}
	}
	grants := make(map[*activeCampaign]int)
	for _, grant := range campaign.Share(free, contenders) {
		camp := byID[grant.ID]
		c.turn++
		camp.lastTurn = c.turn
		grants[camp] = grant.N
	}
	return grants
}

// waitForWork waits until a campaign may have recipients again. It returns false when ctx has
// ended.
func (c *claimer) waitForWork(ctx context.Context) bool {
	now := c.now()
	wait := c.opts.Poll
	for _, camp := range c.roster.all() {
		if camp.claiming.Load() {
			continue
		}
		if left := camp.idleUntil.Sub(now); left > 0 {
			wait = min(wait, left)
		}
	}
	select {
	case <-ctx.Done():
		return false
	case <-c.roster.changed:
	case <-time.After(wait):
	}
	return true
}

// claim claims up to n recipients for n slots, and frees the slots that stay empty. A stop does not
// cut it off: a cut claim may have been executed, and its recipients would wait for the reaper.
func (c *claimer) claim(ctx context.Context, camp *activeCampaign, n int) error {
	l := newLease(camp)
	taken := 0
	err := c.redis.call(context.WithoutCancel(ctx), func(brief context.Context) (err error) {
		taken, err = c.take(ctx, brief, l, n)
		return err
	})
	c.slots.release(n - taken)
	if err == nil {
		camp.failures = 0
		return nil
	}
	fatal := c.claimFailed(camp, err)
	grace := c.opts.Lease
	if fatal != nil { // the Job stops now, even if the claim cannot be undone
		stopped, stop := context.WithCancel(ctx)
		stop()
		ctx, grace = stopped, c.opts.redisTimeout()
	}
	c.undo(ctx, l, err, grace)
	return fatal
}

// take claims recipients and starts their preparation. It returns how many slots they use.
func (c *claimer) take(ctx, brief context.Context, l *lease, n int) (int, error) {
	camp := l.camp
	wanted, overdue := n, camp.isOverdue(c.now())
	n, err := c.canary.admit(brief, l, n)
	if err != nil {
		return 0, err
	}
	if n == 0 && camp.hold.Load() != nil {
		if !overdue {
			c.pause(camp)
			return 0, nil
		}
		n = wanted // they get no push: they end as expired
	}
	if n == 0 {
		// The canary is under way. Places that ended without a push, such as after a failed SQL
		// look-up, are returned at once. Otherwise retries could hold all places for ever.
		c.canary.report(brief, reportTimeout)
		camp.idleUntil = c.now().Add(reportInterval)
		return 0, nil
	}
	l.claimedAt = c.now()
	// After the breaker was asked: a trip has to be acted on all the same. Recipients that only
	// expire need no answer of FCM.
	if c.fcm.isRefused() || !overdue && c.fcm.hasOutageOf(camp.id) {
		c.canary.countEnded(l, n)
		camp.idleUntil = l.claimedAt.Add(c.opts.Poll)
		return 0, nil
	}
	got, err := camp.queue.Claim(brief, l.Claim, n)
	taken := len(got.Elements)
	c.canary.countEnded(l, n-taken)
	if err != nil {
		return 0, err
	}
	camp.empty.Store(taken == 0)
	if taken == 0 {
		camp.idleUntil = c.now().Add(c.opts.Poll)
		return 0, nil
	}
	c.metrics.claimed.Add(float64(taken))
	camp.inflight.Add(int64(taken))
	c.metrics.held.Add(int64(taken))
	l.open = taken
	l.claimedAtServer, l.expiry, l.assumed = got.Now, got.Deadline, got.Assumed
	camp.noteListDeadline(l.listDeadline())
	l.ExtendTo(got.Until)
	c.leases.Add(l)
	c.claims.Go(func() error { c.prepare(ctx, l, got); return nil })
	return taken, nil
}

// pause leaves a campaign on hold alone for a while. If it has no recipients left, it may still be
// completed.
func (c *claimer) pause(camp *activeCampaign) {
	camp.idleUntil = c.now().Add(c.opts.Poll)
	camp.empty.Store(true)
}

// undo gives back what a failed claim may have taken: the reaper would count those recipients as
// lost. It tries until that succeeds, also for a closed campaign, and for a grace period during a
// stop. Until then the campaign is not claimed from.
func (c *claimer) undo(ctx context.Context, l *lease, cause error, grace time.Duration) {
	if _, closed := errors.AsType[*queue.GateClosedError](cause); closed || redisx.IsPermanent(cause) && !redisx.IsDenied(cause) {
		return
	}
	keep, stop := leasekeeper.WithGrace(ctx, grace)
	defer stop()
	err := c.redis.persist(keep, "give back what a failed claim may have taken", l.camp, func(ctx context.Context) error {
		_, err := l.camp.queue.GiveBack(ctx, l.Claim)
		return err
	})
	if err != nil {
		c.log.Warn("failed claim not undone; its recipients return when their lease ends", "campaign", l.camp.id, "error", err)
	}
}

// maxClaimBackoff limits the pause after failed claims, so that a repair is noticed soon.
const maxClaimBackoff = 5 * time.Second

// claimFailed handles a claim's error: the campaign pauses, twice as long after each failure in a
// row, and the others continue. A Job has no other campaign and does not wait for a person to fix a
// key.
func (c *claimer) claimFailed(camp *activeCampaign, err error) error {
	backoff := leasekeeper.Backoff{Base: c.opts.Discover, Limit: max(c.opts.Discover, maxClaimBackoff)}
	pause := backoff.Delay(camp.failures)
	camp.failures++
	wrong, mistyped := errors.AsType[*redisx.TypeError](err)
	closed, ended := errors.AsType[*queue.GateClosedError](err)
	switch {
	case ended:
		c.log.Info("campaign closed: its state or message has changed", "campaign", camp.id, closed.Name, cmp.Or(closed.Value, "none"))
		c.roster.drop(camp)
		return nil
	case isPermanent(err) && c.opts.Campaign != "":
		return fmt.Errorf("campaign %s: nothing was moved: %w", camp.id, err)
	case mistyped:
		c.log.Error("claim failed: a key has the wrong type; nothing was moved", "next", "rename or delete the key", "campaign", camp.id, "error", wrong)
	default:
		c.log.Warn("claim failed; retrying", "campaign", camp.id, "error", err)
	}
	camp.idleUntil = c.now().Add(pause)
	return nil
}
