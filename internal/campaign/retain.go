package campaign

import (
	"cmp"
	"context"
	"fmt"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

// retain sets an expiry on all keys of ended campaigns, equal to that of their specs. Recipients
// in flight may create keys later, so Discover repeats it.
func (c *Campaigns) retain(ctx context.Context, ended []campaignKeys) []answer {
	pipe := c.rdb.Pipeline()
	leases := make([]*redis.StringSliceCmd, len(ended))
	for i, k := range ended {
		leases[i] = pipe.ZRange(ctx, k.leases, 0, -1)
	}
	_, _ = pipe.Exec(ctx) // the error of each command is checked below
	args := append([]any{c.o.Retention.Milliseconds()}, selectStates(State.Ended)...)
	calls, unread := make([]redisx.Call, len(ended)), make([]error, len(ended))
	for i, k := range ended {
		var claims []string
		claims, unread[i] = claimsOf(leases[i])
		calls[i] = redisx.Call{Keys: append(k.inOrder(), k.pace, k.breaker), Args: args}
		for _, claim := range claims {
			calls[i].Keys = append(calls[i].Keys, k.list.Lease(claim))
		}
	}
	answers := c.runEach(ctx, retainScript, calls)
	for i := range answers {
		answers[i].err = cmp.Or(unread[i], answers[i].err)
	}
	return answers
}

// claimsOf returns the members of a campaign's leases, and none if the key holds another type.
func claimsOf(leases *redis.StringSliceCmd) ([]string, error) {
	claims, err := leases.Result()
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	return claims, nil
}
