package campaign

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

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
	left := make([]*redis.IntCmd, len(some))
	for i, h := range some {
		left[i] = pipe.Exists(ctx, h.keys.leases, h.keys.outbox)
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
		if h.spec.State.Final() || h.spec.State.Ended() && !h.expires {
			ended, ids = append(ended, h.keys), append(ids, h.spec.ID)
		}
	}
	for i, a := range c.retain(ctx, ended) {
		if a.err == nil {
			continue
		}
		if err := d.blame("retain", ids[i], a.err); err != nil {
			return err
		}
	}
	return nil
}
