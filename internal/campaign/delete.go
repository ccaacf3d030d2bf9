package campaign

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"fanfare/internal/dedupe"
	"fanfare/internal/keys"

	"github.com/redis/go-redis/v9"
)

// deleteAtOnce limits the keys of one UNLINK.
const deleteAtOnce = 500

// Delete removes a campaign with all its keys, including the application's. It returns a
// *TransitionError while the campaign runs. It can be interrupted anywhere and repeated, and a
// missing campaign is no error. Outcomes that are still in flight find no lease, and create no
// key. The history stays for a week.
func (c *Campaigns) Delete(ctx context.Context, id string) error {
	return wrap("delete", id, c.delete(ctx, id))
}

func (c *Campaigns) delete(ctx context.Context, id string) error {
	k, err := c.keys(id)
	if err != nil {
		return err
	}
	if err := c.rememberHistory(ctx, id); err != nil {
		return err
	}
	// Without a spec the gate is closed, so no lease is added after this.
	word, _, err := c.run(ctx, removeSpecScript, k.scriptKeys(), c.actor(ctx))
	switch {
	case err != nil:
		return err
	case word == "running":
		return &TransitionError{ID: id, From: Running, To: deleted}
	}
	claims, err := parseClaims(c.rdb.ZRange(ctx, k.leases, 0, -1))
	if err != nil {
		return err
	}
	loads, err := c.listLoads(ctx, k)
	if err != nil {
		return err
	}
	// Leases go first: a later outcome then finds nothing to change. The counts go before the
	// list: without its mark in the counts, a load pushes nothing more.
	var all []string
	for _, claim := range claims {
		all = append(all, k.list.Lease(claim))
	}
	for _, load := range loads {
		all = append(all, k.list.Load(load))
	}
	all = append(all, k.counts, k.list.Plain(), k.back, k.retry, k.outbox, k.list.Key(keys.SuffixDead), k.pace, k.breaker, k.traffic, k.leases)
	for some := range slices.Chunk(all, deleteAtOnce) {
		if err := c.rdb.Unlink(ctx, some...).Err(); err != nil {
			return fmt.Errorf("remove keys: %w", err)
		}
	}
	if err := dedupe.Delete(ctx, c.rdb, k.list); err != nil {
		return err
	}
	// This key belongs to the application and is in another slot.
	if err := c.rdb.Unlink(ctx, c.names.CampaignResponses(id)).Err(); err != nil {
		return fmt.Errorf("remove responses: %w", err)
	}
	if err := c.rdb.SRem(ctx, c.names.Registry(), id).Err(); err != nil {
		return fmt.Errorf("take out of the registry: %w", err)
	}
	return nil
}

// listLoads lists the loads whose batches the queue may remember.
func (c *Campaigns) listLoads(ctx context.Context, k campaignKeys) ([]string, error) {
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
