package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// Discovery lists the campaigns by what must be done with them, each list ordered by id.
type Discovery struct {
	// Running campaigns must be served.
	Running []Spec
	// Waiting campaigns have recipients and no spec; nothing happens until they get a message.
	Waiting []string
	// Broken campaigns have a spec that cannot be used. The others continue.
	Broken []Problem
	// Elsewhere lists running campaigns that this project must not send: each error is a
	// *ProjectError. Those of Options.Served are left out.
	Elsewhere []Problem
	// Late campaigns are drafts whose time to start has come. An *IncompleteStartError or a
	// *RefusedStartError says why one must not start; any other error is a start that failed. They
	// start as soon as they may.
	Late []Problem
	// Unsettled campaigns do not run, but have leases that may need reaping, or results to
	// forward. They are searched once per pass over the keyspace, about every Options.ScanEvery.
	Unsettled []string
	// Cancelled campaigns have run, and no dispatcher has logged their end: see NoteEnd.
	Cancelled []string
	// Vanished counts, by campaign, the recipients that left the list without a claim.
	Vanished map[string]int64
}

// Problem is a campaign that cannot be served, with a *SpecError, *ProjectError or
// *redisx.TypeError.
type Problem struct {
	ID  string
	Err error
}

// Discover finds campaigns in the registry, and by passes over the keyspace those whose list an
// application wrote on its own. It registers and repairs what it finds, and removes entries of
// campaigns that are gone. After an error the caller continues with its previous result.
func (c *Campaigns) Discover(ctx context.Context) (Discovery, error) {
	d, err := c.discover(ctx)
	if err != nil {
		return Discovery{}, fmt.Errorf("discover campaigns: %w", err)
	}
	return d, nil
}

func (c *Campaigns) discover(ctx context.Context) (Discovery, error) {
	heads, err := c.readAndGuard(ctx)
	if err != nil {
		return Discovery{}, err
	}
	var known []Project
	if c.o.Project != "" {
		if known, err = c.listProjectsAmong(ctx, c.o.Project, namedByHeads(heads)); err != nil {
			return Discovery{}, err
		}
	}
	d := Discovery{Vanished: make(map[string]int64)}
	var running, rest, bare []head
	heads, d.Late = c.beginScheduled(ctx, heads, known)
	for _, h := range heads {
		if h.guarded.vanished > 0 {
			d.Vanished[h.spec.ID] = h.guarded.vanished
		}
		switch {
		case h.problem != nil:
			d.Broken = append(d.Broken, Problem{h.spec.ID, h.problem})
		case !h.found && h.listed:
			d.Waiting = append(d.Waiting, h.spec.ID)
		case !h.found:
			bare = append(bare, h)
		case h.spec.State == Running || h.spec.State == Completed && h.listed:
			if err := c.checkProject(h.spec, known); err != nil {
				if slices.Contains(c.o.Served, h.spec.Project) {
					continue
				}
				d.Elsewhere = append(d.Elsewhere, Problem{h.spec.ID, err})
				continue
			}
			running = append(running, h)
		default:
			rest = append(rest, h)
			if h.spec.State == Cancelled && !h.spec.StartedAt.IsZero() && !h.spec.endLogged {
				d.Cancelled = append(d.Cancelled, h.spec.ID)
			}
		}
	}
	for _, step := range []func() error{
		func() error { return c.addRunning(ctx, running, &d) },
		func() error { return c.forget(ctx, bare, &d) },
		func() error { return c.addUnsettled(ctx, rest, &d) },
	} {
		if err := step(); err != nil {
			return Discovery{}, err
		}
	}
	slices.Sort(d.Waiting)
	slices.Sort(d.Unsettled)
	slices.SortFunc(d.Broken, func(a, b Problem) int { return cmp.Compare(a.ID, b.ID) })
	return d, nil
}

// addBroken adds the campaign to the broken ones if a key of the wrong type caused the error. It
// returns any other error.
func (d *Discovery) addBroken(verb, id string, err error) error {
	if _, mistyped := errors.AsType[*redisx.TypeError](err); !mistyped {
		return wrap(verb, id, err)
	}
	d.Broken = append(d.Broken, Problem{id, err})
	return nil
}

// readAndGuard reads the heads of all known campaigns after one step of scanning, and guards
// their lists.
func (c *Campaigns) readAndGuard(ctx context.Context) ([]head, error) {
	found, err := c.scanLists(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.register(ctx, found...); err != nil {
		return nil, err
	}
	ids, err := c.listRegistered(ctx)
	if err != nil {
		return nil, err
	}
	heads, err := c.readAllHeads(ctx, ids)
	if err != nil {
		return nil, err
	}
	return heads, c.guardAll(ctx, heads)
}

// addRunning adopts campaigns that must run, and reads their specs in full.
func (c *Campaigns) addRunning(ctx context.Context, running []head, d *Discovery) error {
	sound := make([]head, 0, len(running))
	for i, a := range c.runEach(ctx, adoptScript, callsFor(running, c.o.Project, c.actor(ctx))) {
		if a.err == nil {
			sound = append(sound, running[i])
		} else if err := d.addBroken("adopt", running[i].spec.ID, a.err); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(sound, headsAtOnce) {
		pipe := c.rdb.Pipeline()
		specs := make([]*redis.SliceCmd, len(some))
		for i, h := range some {
			specs[i] = pipe.HMGet(ctx, h.keys.spec, allFields...)
		}
		_, _ = pipe.Exec(ctx) // the error of each command is checked below
		for i, h := range some {
			if err := c.addSpec(ctx, h, specs[i], d); err != nil {
				return err
			}
		}
	}
	return nil
}

// addSpec adds a running campaign. It may have been paused or deleted since its head was read.
func (c *Campaigns) addSpec(ctx context.Context, h head, fields *redis.SliceCmd, d *Discovery) error {
	if err := fields.Err(); err != nil {
		return d.addBroken("read", h.spec.ID, c.typeError(ctx, err, h.keys.spec, "hash"))
	}
	if isBlank(fields.Val()) {
		return nil
	}
	s, err := parseSpec(h.spec.ID, allFields, fields.Val())
	if err = cmp.Or(err, s.requireMessage()); err != nil {
		d.Broken = append(d.Broken, Problem{s.ID, err})
	} else if err := c.checkNamedProject(s); s.State == Running && err != nil { // another process was quicker
		d.Elsewhere = append(d.Elsewhere, Problem{s.ID, err})
	} else if s.State == Running {
		s.Overdue = h.guarded.overdue
		d.Running = append(d.Running, s)
	}
	return nil
}
