package readthrough

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"
)

// check looks whether the ids that are about to count as absent only do so because their key holds another type: MGET passes
// such a key over without a word. It costs those a round trip who are in neither Redis nor the source, and nobody else. Whom
// Redis does not answer about now, nobody is told of.
func (c *Cache[V]) check(ctx context.Context, ids []string, found map[string]V, open *undecided) {
	absent := slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		_, known := found[id]
		return known || slices.Contains(open.ids, id)
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
	c.tellMistyped(mistyped)
}

// tellMistyped counts ids whose key holds another type, and names one of the keys. Only a person can mend them.
func (c *Cache[V]) tellMistyped(ids []string) {
	if len(ids) == 0 {
		return
	}
	c.lookups.mistyped.Add(float64(len(ids)))
	c.quietly.Do(func() {
		c.log.Warn("keys hold another type than a string, and are passed over: rename or delete them",
			"count", len(ids), "example", c.keys.Value(ids[0]))
	})
}
