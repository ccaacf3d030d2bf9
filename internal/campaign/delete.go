package campaign

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/keys"

	"github.com/redis/go-redis/v9"
)

// deleteAtOnce bounds the keys of one UNLINK.
const deleteAtOnce = 500

// Delete removes a campaign with all its keys, those of the application included: a *TransitionError while it runs.
// It may be cut off anywhere and repeated; a campaign that is not there is no error. What is in flight meanwhile ends in
// nothing: its outcomes find no lease, and create no key.
func (c *Campaigns) Delete(ctx context.Context, id string) error {
	return wrap("delete", id, c.delete(ctx, id))
}

func (c *Campaigns) delete(ctx context.Context, id string) error {
	k, err := c.keys(id)
	if err != nil {
		return err
	}
	// Without a spec the gate is closed: from here on no lease is added.
	word, _, err := c.run(ctx, buryScript, []string{k.spec})
	switch {
	case err != nil:
		return err
	case word == "running":
		return &TransitionError{ID: id, From: Running, To: deleted}
	}
	claims, err := claimsOf(c.rdb.ZRange(ctx, k.leases, 0, -1))
	if err != nil {
		return err
	}
	loads, err := c.loads(ctx, k)
	if err != nil {
		return err
	}
	// Leases first: an outcome that comes after them has nothing to apply to. The counts before the list: without the mark that is
	// in them, a load pushes nothing more.
	var all []string
	for _, claim := range claims {
		all = append(all, k.list.Lease(claim))
	}
	for _, load := range loads {
		all = append(all, k.list.Load(load))
	}
	all = append(all, k.counts, k.list.Plain(), k.back, k.retry, k.outbox, k.list.Key(keys.SuffixDead), k.pace, k.breaker, k.leases)
	for some := range slices.Chunk(all, deleteAtOnce) {
		if err := c.rdb.Unlink(ctx, some...).Err(); err != nil {
			return fmt.Errorf("remove keys: %w", err)
		}
	}
	// A key of the application's, which is in another slot.
	if err := c.rdb.Unlink(ctx, c.names.CampaignResponses(id)).Err(); err != nil {
		return fmt.Errorf("remove responses: %w", err)
	}
	if err := c.rdb.SRem(ctx, c.names.Registry(), id).Err(); err != nil {
		return fmt.Errorf("take out of the registry: %w", err)
	}
	return nil
}

// loads lists the loads of which the queue may remember the batches.
func (c *Campaigns) loads(ctx context.Context, k campaignKeys) ([]string, error) {
	fields, err := c.rdb.HKeys(ctx, k.counts).Result()
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list loads: %w", err)
	}
	var all []string
	for _, field := range fields {
		if load, ok := strings.CutPrefix(field, loadMark); ok {
			all = append(all, load)
		}
	}
	return all, nil
}
