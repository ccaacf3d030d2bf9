package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// forget handles entries that have neither a spec nor a list. Either something is left or about
// to come, or the campaign is gone.
func (c *Campaigns) forget(ctx context.Context, bare []head, d *Discovery) error {
	var gone []head
	calls := inOrder(bare)
	for i := range calls {
		calls[i].Args = []any{c.o.Queue.Linger.Milliseconds()}
	}
	for i, a := range c.runEach(ctx, forgetScript, calls) {
		h := bare[i]
		switch {
		case a.err != nil:
			if err := d.blame("forget", h.spec.ID, a.err); err != nil {
				return err
			}
		case a.word == "waiting":
			d.Waiting = append(d.Waiting, h.spec.ID)
		case a.word == "unsettled":
			d.Unsettled = append(d.Unsettled, h.spec.ID)
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
