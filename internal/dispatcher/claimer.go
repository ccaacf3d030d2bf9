package dispatcher

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/queue"
)

// claimer takes recipients for the campaigns with the smallest shares of the pool, never more than there are free slots.
type claimer struct {
	d        *Dispatcher
	turn     uint64
	prepared sync.WaitGroup
	doubtful map[string]*lease // by campaign: its last claim, which may have been executed though its replies were lost
}

func newClaimer(d *Dispatcher) *claimer { return &claimer{d: d, doubtful: make(map[string]*lease)} }

// worthwhile is how many slots must be free before a claim: half of what is held ahead, so that the other half keeps the pool
// busy while the claim is under way, and most of the round trips that claiming slot by slot would need are saved.
func (c *claimer) worthwhile() int { return max(1, c.d.opts.ahead()/2) }

// run claims until ctx ends, and returns when all that it claimed has reached the pool. An error ends a Job.
func (c *claimer) run(ctx context.Context) error {
	defer c.prepared.Wait()
	defer c.undoAll(ctx)
	for {
		free, err := c.d.slots.take(ctx, c.worthwhile(), c.d.opts.Claim)
		if err != nil {
			return nil
		}
		claimed, asked, err := c.serve(ctx, free)
		c.d.slots.release(free - claimed)
		if err != nil {
			return err
		}
		if asked == 0 && !c.rest(ctx) {
			return nil
		}
	}
}

// serve shares out the free slots and claims for each campaign that gets some. It tells how many slots were filled,
// and how many campaigns were asked: none when each has just been found empty.
func (c *claimer) serve(ctx context.Context, free int) (claimed, asked int, err error) {
	now := c.d.now()
	serving := c.d.roster.all()
	byID := make(map[string]*served, len(serving))
	contenders := make([]campaign.Contender, len(serving))
	for i, camp := range serving {
		byID[camp.id] = camp
		terms := camp.terms.Load()
		contenders[i] = campaign.Contender{
			ID: camp.id, Weight: terms.weight, Priority: terms.priority, Most: terms.most(),
			InFlight: int(camp.inflight.Load()), Idle: now.Before(camp.idle), Turn: camp.turn,
		}
	}
	grants := campaign.Share(free, contenders)
	for _, grant := range grants {
		if ended(ctx) {
			return claimed, len(grants), nil
		}
		c.turn++
		byID[grant.ID].turn = c.turn
		taken, err := c.claim(ctx, byID[grant.ID], grant.N)
		if err != nil {
			return claimed, len(grants), err
		}
		claimed += taken
	}
	return claimed, len(grants), nil
}

// ended tells that a stop was asked for, which is no error.
func ended(ctx context.Context) bool { return ctx.Err() != nil }

// rest waits until some campaign may have recipients again; false when ctx has ended.
func (c *claimer) rest(ctx context.Context) bool {
	now := c.d.now()
	wait := c.d.opts.Poll
	for _, camp := range c.d.roster.all() {
		if left := camp.idle.Sub(now); left > 0 {
			wait = min(wait, left)
		}
	}
	select {
	case <-ctx.Done():
		return false
	case <-c.d.roster.changed:
	case <-time.After(wait):
	}
	return true
}

// claim takes up to n recipients and sends them on to be prepared. It returns how many slots they hold.
func (c *claimer) claim(ctx context.Context, camp *served, n int) (int, error) {
	if err := c.undo(ctx, camp.id); err != nil {
		return 0, c.refused(camp, err)
	}
	l := &lease{camp: camp, claim: queue.NewClaimID()}
	n, round, err := c.d.jury.admit(ctx, camp, l.claim, n)
	if err != nil {
		return 0, c.refused(camp, err)
	}
	if n == 0 {
		// The canary is under way. Places in it that ended without a push, for want of SQL say, are given back at once: else
		// those who come back for another try could take all there are, for ever.
		c.d.jury.hear(ctx)
		camp.idle = c.d.now().Add(hearings)
		return 0, nil
	}
	l.round, l.here = round, c.d.now()
	if c.d.warden.refused.Load() { // after the breaker was asked: a trip has to be acted on all the same
		c.d.jury.ended(l, n)
		camp.idle = l.here.Add(c.d.opts.Poll)
		return 0, nil
	}
	// A claim that was cut off may have been executed: not stopping half-way spares its recipients the wait for the reaper.
	got, err := camp.queue.Claim(context.WithoutCancel(ctx), l.claim, n)
	taken := len(got.Elements)
	c.d.jury.ended(l, n-taken)
	if err != nil {
		if _, closed := errors.AsType[*queue.GateClosedError](err); !closed && !queue.Permanent(err) {
			c.doubtful[camp.id] = l
		}
		return 0, c.refused(camp, err)
	}
	camp.empty.Store(taken == 0)
	if taken == 0 {
		camp.idle = c.d.now().Add(c.d.opts.Poll)
		return 0, nil
	}
	c.d.metrics.claimed.Add(float64(taken))
	camp.inflight.Add(int64(taken))
	c.d.holding.Add(int64(taken))
	l.open = taken
	l.there, l.expiry = got.Now, got.Deadline
	l.extendTo(got.Until)
	c.d.held.add(l)
	c.prepared.Go(func() { c.d.prepare(ctx, l, got) })
	return taken, nil
}

// undo gives back what a campaign's last claim may have taken unknown to us: whoever stays in it would be reaped as lost.
func (c *claimer) undo(ctx context.Context, id string) error {
	l := c.doubtful[id]
	if l == nil {
		return nil
	}
	if _, err := l.camp.queue.GiveBack(ctx, l.claim); err != nil {
		return err
	}
	delete(c.doubtful, id)
	return nil
}

// undoAll is for a stop, and tries for as long as it is of use.
func (c *claimer) undoAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.d.opts.Lease)
	defer cancel()
	for id := range c.doubtful {
		if err := c.undo(ctx, id); err != nil {
			c.d.log.Warn("give back what a failed claim may have taken: it returns when its lease ends", "campaign", id, "error", err)
		}
	}
}

// refused deals with a claim that gave an error: the campaign rests, the others go on. A Job has no others, and does not
// wait for somebody to mend a key.
func (c *claimer) refused(camp *served, err error) error {
	pause := c.d.opts.Discover
	wrong, mistyped := errors.AsType[*queue.TypeError](err)
	closed, ended := errors.AsType[*queue.GateClosedError](err)
	switch {
	case ended:
		c.d.log.Info("campaign is served no more, or with another message", "campaign", camp.id, closed.Name, cmp.Or(closed.Value, "none"))
		c.d.roster.drop(camp)
		return nil
	case hopeless(err) && c.d.opts.Campaign != "":
		return fmt.Errorf("campaign %s: nothing was moved: %w", camp.id, err)
	case mistyped:
		pause = max(pause, time.Minute)
		c.d.log.Error("campaign cannot be claimed from: nothing was moved", "campaign", camp.id, "error", wrong)
	default:
		c.d.log.Warn("claim recipients: trying again", "campaign", camp.id, "error", err)
	}
	camp.idle = c.d.now().Add(pause)
	return nil
}
