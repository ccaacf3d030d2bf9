package campaign

import (
	"context"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Discovery is what there is to do, each list ordered by id.
type Discovery struct {
	// Running campaigns are to be served.
	Running []Spec
	// Waiting have recipients and no spec: they are left alone until there is a message.
	Waiting []string
	// Broken have a spec that cannot be used. The others go on.
	Broken []Problem
	// Unsettled do not run and are not to be claimed from, but have leases that may have to be reaped, or results to
	// be forwarded. They are looked for only once after a pass over the keyspace has begun, every Options.ScanEvery or so.
	Unsettled []string
}

// Problem is a campaign that cannot be served, and why: a *SpecError or a *queue.TypeError.
type Problem struct {
	ID  string
	Err error
}

// Discover looks for campaigns: those in the registry each time, and in passes over the keyspace those whose list an
// application wrote without us. What it finds is registered and put in order on the way, and what is gone leaves the
// registry. On an error nothing is known, and the caller goes on with what it knew.
func (c *Campaigns) Discover(ctx context.Context) (Discovery, error) {
	d, err := c.discover(ctx)
	if err != nil {
		return Discovery{}, fmt.Errorf("discover campaigns: %w", err)
	}
	return d, nil
}

func (c *Campaigns) discover(ctx context.Context) (Discovery, error) {
	heads, err := c.look(ctx)
	if err != nil {
		return Discovery{}, err
	}
	var d Discovery
	var running, rest []head
	for _, h := range heads {
		switch {
		case h.problem != nil:
			d.Broken = append(d.Broken, Problem{h.spec.ID, h.problem})
		case !h.found:
			err = c.forget(ctx, h, &d)
		case h.spec.State == Running || h.spec.State == Completed && h.listed:
			running, err = append(running, h), c.settleIn(ctx, h)
		default:
			rest = append(rest, h)
		}
		if err != nil {
			return Discovery{}, err
		}
	}
	if err := c.addRunning(ctx, running, &d); err != nil {
		return Discovery{}, err
	}
	if c.scan.unsettled.Swap(false) {
		if err := c.addUnsettled(ctx, rest, &d); err != nil {
			c.scan.unsettled.Store(true)
			return Discovery{}, err
		}
	}
	return d, nil
}

// look reads the heads of all campaigns that are known after a piece of scanning.
func (c *Campaigns) look(ctx context.Context) ([]head, error) {
	found, err := c.scanLists(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.register(ctx, found...); err != nil {
		return nil, err
	}
	ids, err := c.registered(ctx)
	if err != nil {
		return nil, err
	}
	return c.heads(ctx, ids)
}

// settleIn adopts a campaign that is to run, where anything about it is not as it should be.
func (c *Campaigns) settleIn(ctx context.Context, h head) error {
	_, _, err := c.run(ctx, adoptScript, h.keys.inOrder())
	return wrap("adopt", h.spec.ID, err)
}

// forget deals with an entry that has no spec: recipients may wait for one, or the campaign is gone.
func (c *Campaigns) forget(ctx context.Context, h head, d *Discovery) error {
	k, id := h.keys, h.spec.ID
	word, _, err := c.run(ctx, forgetScript, k.inOrder())
	switch {
	case err != nil:
		return wrap("forget", id, err)
	case word == "waiting":
		d.Waiting = append(d.Waiting, id)
	case word == "unsettled":
		d.Unsettled = append(d.Unsettled, id)
	case word == "forgotten":
		return wrap("forget", id, c.unregister(ctx, id, k))
	}
	return nil
}

// unregister takes an entry out, and puts it back when its spec or a load has come in between: see create.
func (c *Campaigns) unregister(ctx context.Context, id string, k keys) error {
	if err := c.rdb.SRem(ctx, c.names.Registry(), id).Err(); err != nil {
		return err
	}
	n, err := c.rdb.Exists(ctx, k.spec, k.counts).Result()
	if err != nil || n == 0 {
		return err
	}
	return c.register(ctx, id)
}

// addRunning reads the specs of those that run in full.
func (c *Campaigns) addRunning(ctx context.Context, running []head, d *Discovery) error {
	for some := range slices.Chunk(running, headsAtOnce) {
		pipe := c.rdb.Pipeline()
		specs := make([]*redis.SliceCmd, len(some))
		for i, h := range some {
			specs[i] = pipe.HMGet(ctx, h.keys.spec, allFields...)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("read messages: %w", err)
		}
		for i, h := range some {
			s, found, err := parseSpec(h.spec.ID, allFields, specs[i].Val())
			if err == nil && found && len(s.Message) == 0 {
				err = &SpecError{ID: s.ID, Field: fieldMessage, Problem: "is missing"}
			}
			switch {
			case err != nil:
				d.Broken = append(d.Broken, Problem{s.ID, err})
			case found && s.State == Running: // it may have been paused in between
				d.Running = append(d.Running, s)
			}
		}
	}
	return nil
}

// addUnsettled looks for what is left of campaigns that do not run, and lets the keys of ended ones expire.
func (c *Campaigns) addUnsettled(ctx context.Context, rest []head, d *Discovery) error {
	for some := range slices.Chunk(rest, headsAtOnce) {
		pipe := c.rdb.Pipeline()
		left := make([]*redis.IntCmd, len(some))
		for i, h := range some {
			left[i] = pipe.Exists(ctx, h.keys.leases, h.keys.outbox)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("look for leases: %w", err)
		}
		for i, h := range some {
			if left[i].Val() > 0 {
				d.Unsettled = append(d.Unsettled, h.spec.ID)
			}
			if h.spec.State.Final() || h.spec.State.Ended() && !h.expires {
				if err := c.retain(ctx, h.keys); err != nil {
					return wrap("retain", h.spec.ID, err)
				}
			}
		}
	}
	slices.Sort(d.Unsettled)
	return nil
}
