package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/dedupe"
)

// forget handles entries that have neither a spec nor a list. Either something is left or about
// to come, or the campaign is gone.
func (c *Campaigns) forget(ctx context.Context, bare []head, d *Discovery) error {
	var gone []head
	calls := callsFor(bare)
	for i := range calls {
		calls[i].Args = []any{c.o.Queue.Linger.Milliseconds()}
	}
	for i, a := range c.runEach(ctx, forgetScript, calls) {
		h := bare[i]
		switch {
		case a.err != nil:
			if err := d.addBroken("forget", h.spec.ID, a.err); err != nil {
				return err
			}
		case a.word == "waiting":
			d.Waiting = append(d.Waiting, h.spec.ID)
		case a.word == "unsettled":
			d.Unsettled = append(d.Unsettled, h.spec.ID)
		case a.word == "vanished" && len(a.details) == 1:
			d.Vanished[h.spec.ID], _ = strconv.ParseInt(a.details[0], 10, 64) // written by the script
		case a.word == "forgotten":
			gone = append(gone, h)
		}
	}
	for some := range slices.Chunk(gone, headsAtOnce) {
		if err := c.unregister(ctx, some); err != nil {
			return fmt.Errorf("forget campaigns: %w", err)
		}
	}
	return nil
}

// unregister removes entries, and restores those that got a spec or a load in between: see
// create.
func (c *Campaigns) unregister(ctx context.Context, gone []head) error {
	ids := make([]any, len(gone))
	for i, h := range gone {
		ids[i] = h.spec.ID
	}
	if err := c.rdb.SRem(ctx, c.names.Registry(), ids...).Err(); err != nil {
		return err
	}
	pipe := c.rdb.Pipeline()
	found := make([]*redis.IntCmd, len(gone))
	for i, h := range gone {
		found[i] = pipe.Exists(ctx, h.keys.spec, h.keys.counts)
	}
	_, err := pipe.Exec(ctx)
	var back []string
	for i, h := range gone {
		if found[i].Val() > 0 || found[i].Err() != nil {
			back = append(back, h.spec.ID)
		}
	}
	return errors.Join(err, c.register(ctx, back...))
}

// addUnsettled finds what is left of campaigns that do not run, once in each pass over the
// keyspace. It also sets the expiry on keys of ended campaigns.
func (c *Campaigns) addUnsettled(ctx context.Context, rest []head, d *Discovery) error {
	if !c.scan.unsettled.Swap(false) {
		return nil
	}
	for some := range slices.Chunk(rest, headsAtOnce) {
		if err := c.addSomeUnsettled(ctx, some, d); err != nil {
			c.scan.unsettled.Store(true)
			return err
		}
	}
	return nil
}

func (c *Campaigns) addSomeUnsettled(ctx context.Context, some []head, d *Discovery) error {
	pipe := c.rdb.Pipeline()
	left, addresses := make([]*redis.IntCmd, len(some)), make([]*redis.DurationCmd, len(some))
	for i, h := range some {
		left[i], addresses[i] = pipe.Exists(ctx, h.keys.leases, h.keys.outbox), pipe.PTTL(ctx, h.keys.addresses)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("look for leases: %w", err)
	}
	var ended []campaignKeys
	var ids []string
	for i, h := range some {
		if left[i].Val() > 0 {
			d.Unsettled = append(d.Unsettled, h.spec.ID)
		}
		if h.spec.State.IsFinal() || h.spec.State.HasEnded() && !h.expires {
			ended, ids = append(ended, h.keys), append(ids, h.spec.ID)
		}
		if h.spec.State.HasEnded() && addresses[i].Val() > c.o.Retention {
			c.retainAddresses(ctx, h.keys)
		}
	}
	for i, a := range c.retain(ctx, ended) {
		if a.err == nil {
			continue
		}
		if err := d.addBroken("retain", ids[i], a.err); err != nil {
			return err
		}
	}
	return nil
}

// retainBudget limits the time that one Discover spends on the addresses of a campaign.
const retainBudget = time.Second

// retainAddresses sets the expiry of the many keys with the addresses of an ended campaign. What it
// does not finish, the next pass does.
func (c *Campaigns) retainAddresses(ctx context.Context, k campaignKeys) {
	ctx, cancel := context.WithTimeout(ctx, retainBudget)
	defer cancel()
	_ = dedupe.Retain(ctx, c.rdb, k.list, c.o.Retention)
}
