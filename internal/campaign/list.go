package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"fanfare/internal/notification"
)

// Summary is one campaign in a listing.
type Summary struct {
	Spec  Spec // its message only where the campaign has not ended; State is "" while the recipients wait for one
	Books Books
	Err   error // why the campaign cannot be served, or its books cannot be read
}

// listAtOnce bounds the books that are read side by side.
const listAtOnce = 16

// List shows all campaigns that are known, the newest first, then those that wait for a message. Lists that nobody
// has found yet are missing as they are with Discover.
func (c *Campaigns) List(ctx context.Context) ([]Summary, error) {
	heads, err := c.look(ctx)
	if err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	if err := c.addMessages(ctx, heads); err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	all := make([]Summary, len(heads))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(listAtOnce)
	for i, h := range heads {
		all[i] = Summary{Spec: h.spec, Err: h.problem}
		group.Go(func() error {
			books, err := c.Books(ctx, h.spec.ID)
			all[i].Books = books
			all[i].Err = cmp.Or(all[i].Err, err)
			return ctx.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	all = slices.DeleteFunc(all, gone)
	slices.SortFunc(all, func(a, b Summary) int {
		return cmp.Or(b.Spec.CreatedAt.Compare(a.Spec.CreatedAt), cmp.Compare(a.Spec.ID, b.Spec.ID))
	})
	return all, nil
}

// addMessages reads the messages of campaigns that may still be served.
func (c *Campaigns) addMessages(ctx context.Context, heads []head) error {
	for some := range slices.Chunk(heads, headsAtOnce) {
		pipe := c.rdb.Pipeline()
		replies := make([]*redis.StringCmd, len(some))
		for i, h := range some {
			if h.found && h.problem == nil && !h.spec.State.Ended() {
				replies[i] = pipe.HGet(ctx, h.keys.spec, fieldMessage)
			}
		}
		_, _ = pipe.Exec(ctx) // each command's own error is looked at
		for i, reply := range replies {
			if reply == nil {
				continue
			}
			text, err := reply.Result()
			if err != nil && !errors.Is(err, redis.Nil) {
				return fmt.Errorf("read messages: %w", err)
			}
			some[i].spec.Message = notification.Message(text)
		}
	}
	return nil
}

// gone tells an entry of the registry that Discover will drop.
func gone(s Summary) bool {
	return s.Spec.State == "" && s.Err == nil && s.Books.Open() == 0 && s.Books.Missing == 0 && s.Books.Outbox == 0
}
