package webhooks

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
)

const (
	// leaseTTL is how long a process that died keeps others from delivering.
	leaseTTL = time.Minute
	// maxEvents is about how many events the stream keeps.
	maxEvents = 10_000
	// cursorTTL is how long webhooks may be off without missing an event. A history is kept for a
	// week.
	cursorTTL = 30 * 24 * time.Hour
)

// beginning is the field of the moment from which events are delivered, in Unix milliseconds. No
// campaign has an empty id.
const beginning = ""

// cursors remember how far the events of each campaign were delivered, and who delivers.
type cursors struct {
	rdb           redis.UniversalClient
	names         keys.Names
	key, lease    string
	stream, owner string
	from          int64             // events before it are not delivered, in Unix milliseconds
	done          map[string]string // by campaign, the id of the newest entry that is done with
}

func newCursors(rdb redis.UniversalClient, names keys.Names) *cursors {
	return &cursors{rdb: rdb, names: names, key: names.Webhooks(), lease: names.Webhooks() + ":lease", stream: names.Events(), owner: rand.Text()}
}

// acquire reports whether this process delivers. Two might, for a moment after a lease has expired:
// then an event comes twice.
func (c *cursors) acquire(ctx context.Context) (bool, error) {
	err := c.rdb.SetArgs(ctx, c.lease, c.owner, redis.SetArgs{Mode: "NX", TTL: leaseTTL}).Err()
	if errors.Is(err, redis.Nil) {
		var holder string
		if holder, err = c.rdb.Get(ctx, c.lease).Result(); err == nil && holder != c.owner || errors.Is(err, redis.Nil) {
			return false, nil
		}
		if err == nil {
			err = c.rdb.PExpire(ctx, c.lease, leaseTTL).Err()
		}
	}
	if err != nil {
		return false, fmt.Errorf("acquire the delivery of events: %w", err)
	}
	return true, nil
}

// release lets another process deliver at once.
func (c *cursors) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	if holder, err := c.rdb.Get(ctx, c.lease).Result(); err == nil && holder == c.owner {
		_ = c.rdb.Del(ctx, c.lease).Err() // otherwise it expires
	}
}

// read returns the newest delivered entry of each campaign. The first time ever, delivery begins
// with what happens from now on.
func (c *cursors) read(ctx context.Context) (map[string]string, error) {
	now, err := c.rdb.Time(ctx).Result()
	if err == nil {
		err = c.rdb.HSetNX(ctx, c.key, beginning, now.UnixMilli()).Err()
	}
	if err == nil {
		err = c.rdb.PExpire(ctx, c.key, cursorTTL).Err()
	}
	if err == nil {
		c.done, err = c.rdb.HGetAll(ctx, c.key).Result()
	}
	if err != nil {
		return nil, fmt.Errorf("read how far events were delivered: %w", err)
	}
	c.from, _ = strconv.ParseInt(c.done[beginning], 10, 64)
	delete(c.done, beginning)
	return c.done, c.forget(ctx, now)
}

// forget removes the old cursors of campaigns without a history. A campaign that is kept has its
// history for as long, and would have its events delivered again.
func (c *cursors) forget(ctx context.Context, now time.Time) error {
	pipe := c.rdb.Pipeline()
	remaining := make(map[string]*redis.IntCmd)
	for id, entry := range c.done {
		if at := millisOf(entry); at == 0 || now.Sub(time.UnixMilli(at)) <= cursorTTL {
			continue
		}
		if list, err := c.names.Campaign(id); err == nil {
			remaining[id] = pipe.Exists(ctx, list.Key(keys.SuffixHistory))
		}
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return fmt.Errorf("find old events: %w", err)
	}
	var gone []string
	for id, exists := range remaining {
		if exists.Val() == 0 {
			gone = append(gone, id)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	if err := c.rdb.HDel(ctx, c.key, gone...).Err(); err != nil {
		return fmt.Errorf("forget old events: %w", err)
	}
	return nil
}

// skip leaves out what happened before the beginning.
func (c *cursors) skip(id string, entries []notification.HistoryEntry) []notification.HistoryEntry {
	for len(entries) > 0 && c.done[id] == "" && millisOf(entries[0].ID) < c.from {
		entries = entries[1:]
	}
	return entries
}

// advance notes that an entry is done with.
func (c *cursors) advance(ctx context.Context, id, entry string) error {
	if err := c.rdb.HSet(ctx, c.key, id, entry).Err(); err != nil {
		return fmt.Errorf("note that an event was delivered: %w", err)
	}
	return nil
}

// publish adds an event to the stream.
func (c *cursors) publish(ctx context.Context, e Event, body []byte) error {
	err := c.rdb.XAdd(ctx, &redis.XAddArgs{
		Stream: c.stream, MaxLen: maxEvents, Approx: true, Values: []any{"type", e.Type, "campaign", e.Campaign, "event", body},
	}).Err()
	if err != nil {
		return fmt.Errorf("publish event: %w", err)
	}
	return nil
}

// millisOf is the time in the id of an entry, in Unix milliseconds.
func millisOf(entry string) int64 {
	ms, _, _ := strings.Cut(entry, "-")
	at, _ := strconv.ParseInt(ms, 10, 64) // Redis made it
	return at
}
