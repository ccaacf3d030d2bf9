package tokens

import (
	"context"
	_ "embed"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/notification"
)

// Both scripts go out as text (EVAL) in one pipeline, which cannot fall back from EVALSHA. They are two because the
// mark of an odd user id may be in another Cluster slot than the token.
var (
	//go:embed lua/mark_dead.lua
	markDead string
	//go:embed lua/forget.lua
	forget string
)

// Forget takes a token that FCM reported as unregistered out of Redis, unless another one is stored there by now.
// removed tells that Redis held it and does so no more. current is the user's stored token if that is a different one,
// from Redis or else from SQL; it is worth a try. For Options.DeadTTL the dead token is ignored where SQL still returns
// it, because SQL is cleared later, by whoever reads the recipient's result.
//
// A *SourceError means that the token is gone from Redis, but SQL did not say whether there is another.
func (s *Store) Forget(ctx context.Context, user string, dead notification.Target) (removed bool, current notification.Target, err error) {
	if dead.IsZero() {
		return false, notification.Target{}, fmt.Errorf("forget token of %q: %w", user, errNoToken)
	}
	removed, stored, err := s.compareAndDelete(ctx, user, dead.Value)
	if err != nil {
		return false, notification.Target{}, fmt.Errorf("forget token of %q: %w", user, err)
	}
	if stored != "" || s.source == nil {
		return removed, notification.Token(stored), nil
	}
	rest, err := s.source.Tokens(ctx, []string{user})
	if err != nil {
		return removed, notification.Target{}, &SourceError{IDs: []string{user}, Err: fmt.Errorf("look for another token: %w", err)}
	}
	if token := rest[user]; token != dead.Value {
		return removed, notification.Token(token), nil
	}
	return removed, notification.Target{}, nil
}

// compareAndDelete marks before it deletes, so that a Lookup which wrote the token back in between finds the mark.
func (s *Store) compareAndDelete(ctx context.Context, user, dead string) (removed bool, stored string, err error) {
	pipe := s.rdb.Pipeline()
	pipe.Eval(ctx, markDead, []string{s.names.NoToken(user)}, dead, s.opts.DeadTTL.Milliseconds())
	forgotten := pipe.Eval(ctx, forget, []string{s.names.Token(user)}, dead)
	if _, err := pipe.Exec(ctx); err != nil {
		return false, "", err
	}
	return readForgotten(forgotten)
}

func readForgotten(cmd *redis.Cmd) (removed bool, stored string, err error) {
	fields, err := cmd.Slice()
	if err != nil {
		return false, "", err
	}
	if len(fields) != 2 {
		return false, "", fmt.Errorf("forget.lua returned %d fields", len(fields))
	}
	stored, _ = fields[1].(string)
	return fields[0] == int64(1), stored, nil
}
