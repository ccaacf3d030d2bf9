package readthrough

import (
	"context"
	"fmt"
)

// Peek is Lookup without a trace: nothing is written back, so that nobody's expiry moves and no mark is set.
func (c *Cache[V]) Peek(ctx context.Context, ids []string) (map[string]V, error) {
	ids = distinct(ids)
	found := make(map[string]V, len(ids))
	var (
		open     undecided
		unusable leftovers[V]
	)
	misses := c.cached(ctx, ids, found, &unusable, &open)
	if c.source != nil && len(misses) > 0 {
		c.peekSource(ctx, c.unmarked(ctx, misses, &open), found, &unusable, &open)
	}
	unusable.fill(found, &open)
	return found, open.err()
}

// peekSource asks the source for what Redis does not know.
func (c *Cache[V]) peekSource(ctx context.Context, misses []miss, found map[string]V, unusable *leftovers[V], open *undecided) {
	ask := make([]string, len(misses))
	for i, m := range misses {
		ask[i] = m.id
	}
	texts, err := c.source(ctx, ask)
	if err != nil {
		for _, id := range ask {
			open.add(id, fmt.Errorf("ask source: %w", err))
		}
		return
	}
	for id, a := range c.decodeAll(misses, texts) {
		if a.unusable {
			unusable.add(id, a.value)
			continue
		}
		found[id] = a.value
	}
}
