package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
	"fanfare/internal/queue"
)

// Summary is one campaign in a listing.
type Summary struct {
	Spec  Spec // without the message of an ended campaign; State is "" without a spec
	Books Books
	Err   error // why the campaign cannot be served, or its books not be read
}

// List returns all known campaigns, the newest first, then those without a spec. Like Discover,
// it does not see a list that no scan has found yet.
func (c *Campaigns) List(ctx context.Context) ([]Summary, error) {
	return c.ListAgain(ctx, &ListMemory{})
}

// endedAge is how long the books of an ended campaign serve later listings. They hardly change:
// only pushes that were on the wire at its end are still counted.
const endedAge = 10 * time.Second

// ListMemory is what one listing learns for the next. It is for one caller at a time.
type ListMemory struct {
	ended map[string]endedBooks // by campaign id
}

type endedBooks struct {
	state State
	books Books
	until time.Time
}

// find returns books that are young enough.
func (m *ListMemory) find(s Spec, now time.Time) (Books, bool) {
	known, ok := m.ended[s.ID]
	return known.books, ok && known.state == s.State && now.Before(known.until)
}

// remember replaces what is known by the books of the ended campaigns of a listing. They are spread
// over time, so that not all are read again at once.
func (m *ListMemory) remember(all []Summary, now time.Time) {
	before := m.ended
	m.ended = make(map[string]endedBooks)
	for _, s := range all {
		if s.Err != nil || !s.Spec.State.HasEnded() {
			continue
		}
		known := before[s.Spec.ID]
		if known.state != s.Spec.State || !now.Before(known.until) {
			known = endedBooks{s.Spec.State, s.Books, now.Add(endedAge/2 + rand.N(endedAge/2))} //nolint:gosec // no secret
		}
		m.ended[s.Spec.ID] = known
	}
}

// ListAgain is List for callers that list every second: books of ended campaigns are at most
// endedAge old.
func (c *Campaigns) ListAgain(ctx context.Context, memory *ListMemory) ([]Summary, error) {
	now := time.Now()
	heads, err := c.readAndGuard(ctx)
	if err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	if err := c.addMessages(ctx, heads); err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	all := make([]Summary, len(heads))
	var unknown []*Summary
	for i, h := range heads {
		all[i] = Summary{Spec: h.spec, Err: h.problem}
		if books, ok := memory.find(h.spec, now); ok {
			all[i].Books = books
			continue
		}
		unknown = append(unknown, &all[i])
	}
	c.addBooks(ctx, unknown)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("list campaigns: %w", err)
	}
	memory.remember(all, now)
	all = slices.DeleteFunc(all, isForgettable)
	slices.SortFunc(all, func(a, b Summary) int {
		return cmp.Or(b.Spec.CreatedAt.Compare(a.Spec.CreatedAt), cmp.Compare(a.Spec.ID, b.Spec.ID))
	})
	return all, nil
}

// addBooks reads the books of campaigns. An error of one does not affect the others.
func (c *Campaigns) addBooks(ctx context.Context, all []*Summary) {
	queues := make([]*queue.Queue, 0, len(all))
	valid := make([]*Summary, 0, len(all))
	for _, s := range all {
		q, err := c.Queue(s.Spec.ID)
		if err != nil {
			s.Err = cmp.Or(s.Err, wrap("read books of", s.Spec.ID, err))
			continue
		}
		queues, valid = append(queues, q), append(valid, s)
	}
	for i, counted := range queue.CountEach(ctx, c.rdb, queues) {
		if counted.Err != nil {
			valid[i].Err = cmp.Or(valid[i].Err, wrap("read books of", valid[i].Spec.ID, counted.Err))
			continue
		}
		valid[i].Books = booksOf(counted.Counts)
	}
}

// addMessages reads the messages of campaigns that may still send.
func (c *Campaigns) addMessages(ctx context.Context, heads []head) error {
	for some := range slices.Chunk(heads, headsAtOnce) {
		pipe := c.rdb.Pipeline()
		replies := make([]*redis.StringCmd, len(some))
		for i, h := range some {
			if h.found && h.problem == nil && !h.spec.State.HasEnded() {
				replies[i] = pipe.HGet(ctx, h.keys.spec, fieldMessage)
			}
		}
		_, _ = pipe.Exec(ctx) // the error of each command is checked below
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

// isForgettable reports whether Discover will drop this registry entry.
func isForgettable(s Summary) bool {
	return s.Spec.State == "" && s.Err == nil && s.Books.CountOpen() == 0 && s.Books.Missing == 0 && s.Books.Outbox == 0
}
