package readthrough

import (
	"context"
	"fmt"
)

// Peek is Lookup without a trace: nothing is written back, so that nobody's expiry moves and no mark is set.
func (c *Cache[V]) Peek(ctx context.Context, ids []string) (map[string]V, error) {
	ids = distinct(ids)
	found := make(map[string]V, len(ids))
	var open undecided
	misses := c.cached(ctx, ids, found, &open)
	if c.source == nil || len(misses) == 0 {
		return found, open.err()
	}
	misses = c.unmarked(ctx, misses, &open)
	ask := make([]string, len(misses))
	for i, m := range misses {
		ask[i] = m.id
	}
	texts, err := c.source(ctx, ask)
	if err != nil {
		for _, id := range ask {
			open.add(id, fmt.Errorf("ask source: %w", err))
		}
		return found, open.err()
	}
	for id, a := range c.decodeAll(misses, texts) {
		found[id] = a.value
	}
	return found, open.err()
}
