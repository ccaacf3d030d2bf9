package readthrough

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// Reply is what Redis holds for one id. A key of another type counts as missing.
type Reply struct {
	Text   string
	Exists bool
	Err    error
}

// readValues reads what Redis holds for the ids.
func (c *Cache[V]) readValues(ctx context.Context, ids []string) []Reply {
	if len(ids) > 0 && c.opts.Read != nil {
		return c.opts.Read(ctx, ids)
	}
	return c.readKeys(ctx, c.keys.Value, ids)
}

// readKeys reads one key per id: with one MGET, or in a Cluster with one pipeline that go-redis
// splits by slot.
func (c *Cache[V]) readKeys(ctx context.Context, key func(string) string, ids []string) []Reply {
	if len(ids) == 0 {
		return nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = key(id)
	}
	if _, sharded := c.rdb.(*redis.ClusterClient); sharded {
		return c.readWithPipeline(ctx, keys)
	}
	return c.readWithMGet(ctx, keys)
}

func (c *Cache[V]) readWithMGet(ctx context.Context, keys []string) []Reply {
	replies := make([]Reply, len(keys))
	values, err := c.rdb.MGet(ctx, keys...).Result()
	if err == nil && len(values) != len(keys) {
		err = fmt.Errorf("MGET of %d keys returned %d values", len(keys), len(values))
	}
	for i := range replies {
		if err != nil {
			replies[i].Err = err
			continue
		}
		replies[i].Text, replies[i].Exists = values[i].(string)
	}
	return replies
}

func (c *Cache[V]) readWithPipeline(ctx context.Context, keys []string) []Reply {
	pipe := c.rdb.Pipeline()
	gets := make([]*redis.StringCmd, len(keys))
	for i, key := range keys {
		gets[i] = pipe.Get(ctx, key)
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	replies := make([]Reply, len(keys))
	for i, get := range gets {
		replies[i] = parseReply(get)
	}
	return replies
}

func parseReply(get *redis.StringCmd) Reply {
	text, err := get.Result()
	switch {
	case err == nil:
		return Reply{Text: text, Exists: true}
	case errors.Is(err, redis.Nil), redis.HasErrorPrefix(err, "WRONGTYPE"):
		return Reply{}
	}
	return Reply{Err: err}
}

// findMistyped logs ids that count as absent because their key has another type, which MGET returns
// as missing. It costs a round trip only for ids that neither Redis nor the source knows. It
// ignores errors.
func (c *Cache[V]) findMistyped(ctx context.Context, ids []string, found map[string]V, undecidedIDs *undecided) {
	absent := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		_, known := found[id]
		return known || slices.Contains(undecidedIDs.ids, id)
	})
	if len(absent) == 0 {
		return
	}
	pipe := c.rdb.Pipeline()
	types := make([]*redis.StatusCmd, len(absent))
	for i, id := range absent {
		types[i] = pipe.Type(ctx, c.keys.Value(id))
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	var mistyped []string
	for i, id := range absent {
		if holds := types[i].Val(); holds != "" && holds != "none" && holds != "string" {
			mistyped = append(mistyped, id)
		}
	}
	c.logMistyped(mistyped)
}

// logMistyped counts ids whose key has another type and logs one of the keys. Only a person can fix
// them.
func (c *Cache[V]) logMistyped(ids []string) {
	if len(ids) == 0 {
		return
	}
	c.lookups.mistyped.Add(float64(len(ids)))
	c.logSometimes.Do(func() {
		c.log.Warn("keys of another type than string ignored; rename or delete them",
			"count", len(ids), "example", c.keys.Value(ids[0]))
	})
}
