package readthrough

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// reply is what Redis said about one key. A key of another type holds nothing that we could use.
type reply struct {
	text string
	held bool
	err  error
}

// read fetches one key of each id: with one MGET, or with one pipeline that go-redis splits by slot.
func (c *Cache[V]) read(ctx context.Context, key func(string) string, ids []string) []reply {
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = key(id)
	}
	if _, sharded := c.rdb.(*redis.ClusterClient); sharded {
		return c.readEach(ctx, keys)
	}
	return c.readTogether(ctx, keys)
}

func (c *Cache[V]) readTogether(ctx context.Context, keys []string) []reply {
	replies := make([]reply, len(keys))
	values, err := c.rdb.MGet(ctx, keys...).Result()
	if err == nil && len(values) != len(keys) {
		err = fmt.Errorf("MGET of %d keys returned %d values", len(keys), len(values))
	}
	for i := range replies {
		if err != nil {
			replies[i].err = err
			continue
		}
		replies[i].text, replies[i].held = values[i].(string)
	}
	return replies
}

func (c *Cache[V]) readEach(ctx context.Context, keys []string) []reply {
	pipe := c.rdb.Pipeline()
	gets := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		gets[i] = pipe.Get(ctx, key)
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	replies := make([]reply, len(keys))
	for i, get := range gets {
		replies[i] = replyOf(get)
	}
	return replies
}

func replyOf(get *redis.StringCmd) reply {
	text, err := get.Result()
	switch {
	case err == nil:
		return reply{text: text, held: true}
	case errors.Is(err, redis.Nil), redis.HasErrorPrefix(err, "WRONGTYPE"):
		return reply{}
	}
	return reply{err: err}
}
