package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"
)

// headsAtOnce limits the campaigns in one pipeline.
const headsAtOnce = 200

// register adds campaigns to the registry.
func (c *Campaigns) register(ctx context.Context, ids ...string) error {
	for some := range slices.Chunk(ids, headsAtOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = id
		}
		if _, _, err := c.run(ctx, registerScript, []string{c.names.Registry()}, args...); err != nil {
			return fmt.Errorf("register: %w", err)
		}
	}
	return nil
}

// listRegistered lists the registry in order and without duplicates, which SSCAN may return. It
// removes entries that cannot name a campaign.
func (c *Campaigns) listRegistered(ctx context.Context) ([]string, error) {
	var ids []string
	for at := uint64(0); ; {
		some, next, err := c.rdb.SScan(ctx, c.names.Registry(), at, "", scanCount).Result()
		if err != nil {
			return nil, fmt.Errorf("read registry: %w", c.typeError(ctx, err, c.names.Registry(), "set"))
		}
		for _, id := range some {
			if _, err := c.keys(id); err == nil {
				ids = append(ids, id)
			} else if err := c.rdb.SRem(ctx, c.names.Registry(), id).Err(); err != nil {
				return nil, fmt.Errorf("tidy registry: %w", err)
			}
		}
		if at = next; at == 0 {
			break
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// head is a campaign without its message: what is needed to decide whether it is served.
type head struct {
	spec    Spec
	keys    campaignKeys
	found   bool  // the campaign has a spec
	problem error // why the spec cannot be used
	expires bool  // the spec has an expiry
	listed  bool  // the producer's list has elements
	guarded guardResult
}

// readAllHeads reads campaigns in few round trips.
func (c *Campaigns) readAllHeads(ctx context.Context, ids []string) ([]head, error) {
	all := make([]head, 0, len(ids))
	for some := range slices.Chunk(ids, headsAtOnce) {
		group := make([]head, 0, len(some))
		for _, id := range some {
			k, err := c.keys(id)
			if err != nil {
				return nil, err
			}
			group = append(group, head{spec: Spec{ID: id}, keys: k})
		}
		if err := c.readHeads(ctx, group); err != nil {
			return nil, err
		}
		all = append(all, group...)
	}
	return all, nil
}

// headReply is what Redis returns for one campaign. A pipeline is not atomic, so the existence of
// the spec is checked before its fields are read, and after them by its expiry.
type headReply struct {
	before *redis.IntCmd
	fields *redis.SliceCmd
	expiry *redis.DurationCmd
	length *redis.IntCmd
}

func (c *Campaigns) readHeads(ctx context.Context, group []head) error {
	pipe := c.rdb.Pipeline()
	replies := make([]headReply, len(group))
	for i, h := range group {
		replies[i] = headReply{
			before: pipe.Exists(ctx, h.keys.spec),
			fields: pipe.HMGet(ctx, h.keys.spec, headFields...),
			expiry: pipe.PTTL(ctx, h.keys.spec),
			length: pipe.LLen(ctx, h.keys.list.Plain()),
		}
	}
	_, _ = pipe.Exec(ctx) // the error of each command is checked below
	for i := range group {
		if err := c.readHead(ctx, &group[i], replies[i]); err != nil {
			return fmt.Errorf("read specs: %w", err)
		}
	}
	return nil
}

func (c *Campaigns) readHead(ctx context.Context, h *head, r headReply) error {
	if err := cmp.Or(r.before.Err(), r.expiry.Err()); err != nil {
		return err
	}
	// A list of another type is reported by the claim.
	if err := r.length.Err(); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return err
	}
	h.listed = r.length.Val() > 0
	h.expires = r.expiry.Val() > 0
	if err := r.fields.Err(); err != nil {
		h.found, h.problem = true, c.typeError(ctx, err, h.keys.spec, "hash")
		if errors.Is(h.problem, err) {
			return err
		}
		return nil
	}
	const gone = time.Duration(-2)
	if h.found = !isBlank(r.fields.Val()) || r.before.Val() > 0 && r.expiry.Val() != gone; h.found {
		h.spec, h.problem = parseSpec(h.spec.ID, headFields, r.fields.Val())
	}
	return nil
}
