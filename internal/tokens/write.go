package tokens

import (
	"context"
	"fmt"
	"iter"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// importBatch is the number of commands in one pipeline.
const importBatch = 1000

// Set stores a user's token without an expiry, as the application does.
func (s *Store) Set(ctx context.Context, user string, token notification.Target) error {
	if err := checkAddress(token); err != nil {
		return fmt.Errorf("set token of %q: %w", user, err)
	}
	if err := s.rdb.Set(ctx, s.names.Token(user), token.Value, 0).Err(); err != nil {
		return fmt.Errorf("set token of %q: %w", user, err)
	}
	return nil
}

// Remove deletes a user's token from Redis and reports whether there was one. The next Lookup finds
// a token in SQL again.
func (s *Store) Remove(ctx context.Context, user string) (existed bool, err error) {
	deleted, err := s.rdb.Del(ctx, s.names.Token(user)).Result()
	if err != nil {
		return false, fmt.Errorf("remove token of %q: %w", user, err)
	}
	return deleted > 0, nil
}

// Import stores many addresses, given as pairs of user and device, in pipelines of 1,000. A token
// of which nothing else is known becomes the user's token, any other address joins the user's
// devices. It stops at the first error and returns how many are certainly stored. Repeating it is
// harmless.
func (s *Store) Import(ctx context.Context, devices iter.Seq2[string, notification.Device]) (imported int, err error) {
	pipe := s.rdb.Pipeline()
	for user, d := range devices {
		if err := checkAddress(d.Target); err != nil {
			return imported, fmt.Errorf("import address of %q: %w", user, err)
		}
		if valueOf(d) == bareToken {
			pipe.Set(ctx, s.names.Token(user), d.Target.Value, 0)
		} else {
			s.queueDevice(ctx, pipe, user, d)
		}
		if pipe.Len() < importBatch {
			continue
		}
		stored, err := flush(ctx, pipe)
		imported += stored
		if err != nil {
			return imported, err
		}
	}
	stored, err := flush(ctx, pipe)
	return imported + stored, err
}

// flush sends the queued commands, and returns how many addresses they stored.
func flush(ctx context.Context, pipe redis.Pipeliner) (stored int, err error) {
	commands, err := pipe.Exec(ctx)
	for _, command := range commands {
		if command.Err() == nil && command.Name() != persist {
			stored++
		}
	}
	if err != nil {
		return stored, fmt.Errorf("import addresses: %w", err)
	}
	return stored, nil
}
