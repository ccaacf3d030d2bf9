package profiles

import (
	"context"
	"fmt"
)

// Peek is Lookup without a trace: nothing is written to Redis.
func (c *Cache) Peek(ctx context.Context, users []string) (map[string]Profile, error) {
	found, err := c.cache.Peek(ctx, users)
	if err != nil {
		return found, fmt.Errorf("look up profiles: %w", err)
	}
	return found, nil
}
