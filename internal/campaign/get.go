package campaign

import (
	"cmp"
	"context"
	"errors"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// Get reads the spec of a campaign. It returns ErrNotFound without a spec, and a *SpecError if
// the spec cannot be used.
func (c *Campaigns) Get(ctx context.Context, id string) (Spec, error) {
	s, err := c.get(ctx, id)
	return s, wrap("read", id, err)
}

func (c *Campaigns) get(ctx context.Context, id string) (Spec, error) {
	k, err := c.keys(id)
	if err != nil {
		return Spec{}, err
	}
	values, err := c.rdb.HMGet(ctx, k.spec, allFields...).Result()
	if err != nil {
		return Spec{}, c.typeError(ctx, err, k.spec, "hash")
	}
	if isBlank(values) {
		return Spec{}, ErrNotFound
	}
	s, err := parseSpec(id, allFields, values)
	return s, cmp.Or(err, s.requireMessage())
}

// Adopt prepares a campaign for sending, as Discover does, and returns its spec. A scheduled
// campaign starts if its time has come, and a completed one with a new list runs again. The
// campaign is registered, and its keys do not expire while it runs.
func (c *Campaigns) Adopt(ctx context.Context, id string) (Spec, error) {
	k, err := c.keys(id)
	if err != nil {
		return Spec{}, wrap("adopt", id, err)
	}
	if err := c.checkAdoptable(ctx, id, k); err != nil {
		return Spec{}, wrap("adopt", id, err)
	}
	if err := c.guard(ctx, k); err != nil {
		return Spec{}, wrap("adopt", id, err)
	}
	before, err := c.get(ctx, id)
	if err != nil {
		return Spec{}, wrap("adopt", id, err)
	}
	if before.IsScheduled() {
		if _, err := c.begin(ctx, before, k); err != nil {
			return Spec{}, wrap("start", id, err)
		}
	}
	word, _, err := c.run(ctx, adoptScript, k.scriptKeys(), c.o.Project, c.actor(ctx))
	switch {
	case err != nil:
		return Spec{}, wrap("adopt", id, err)
	case word == "missing":
		return Spec{}, wrap("adopt", id, ErrNotFound)
	}
	if err := c.register(ctx, id); err != nil {
		return Spec{}, wrap("adopt", id, err)
	}
	s, err := c.Get(ctx, id)
	if err != nil {
		return s, err
	}
	return s, wrap("adopt", id, c.checkNamedProject(s))
}

// checkAdoptable returns a *ProjectError if the campaign belongs, or may belong, to another
// project. The known projects are read only for a campaign that names none.
func (c *Campaigns) checkAdoptable(ctx context.Context, id string, k campaignKeys) error {
	if c.o.Project == "" {
		return nil
	}
	project, err := c.rdb.HGet(ctx, k.spec, fieldProject).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return c.typeError(ctx, err, k.spec, "hash")
	}
	if project == c.o.Project {
		return nil
	}
	known, err := c.listProjects(ctx, c.o.Project)
	if err != nil {
		return err
	}
	return c.checkProject(Spec{ID: id, Project: project}, known)
}

// typeError turns WRONGTYPE, which does not name the key, into a *redisx.TypeError.
func (c *Campaigns) typeError(ctx context.Context, err error, key, want string) error {
	if !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return err
	}
	holds, lookErr := c.rdb.Type(ctx, key).Result()
	if lookErr != nil {
		return err
	}
	return &redisx.TypeError{Key: key, Holds: holds, Want: want}
}
