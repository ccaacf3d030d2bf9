package tokens

import (
	"context"
	"fmt"

	"fanfare/internal/notification"
)

// Peek is Lookup without a trace: nothing is written to Redis.
func (s *Store) Peek(ctx context.Context, users []string) (map[string]notification.Target, error) {
	found, err := s.cache.Peek(ctx, users)
	if err != nil {
		return found, fmt.Errorf("look up tokens: %w", err)
	}
	return found, nil
}
