package redisx

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"
)

// callsAtOnce bounds the calls in one pipeline.
const callsAtOnce = 200

// Call is what a script is given in one of several runs.
type Call struct {
	Keys []string
	Args []any
}

// RunEach runs a script once for each call, in few round trips. Each reply has its own error: what goes wrong with one call is no
// matter to the others.
func RunEach(ctx context.Context, rdb redis.UniversalClient, s *redis.Script, calls []Call) []*redis.Cmd {
	all := make([]*redis.Cmd, 0, len(calls))
	for some := range slices.Chunk(calls, callsAtOnce) {
		short, whole := rdb.Pipeline(), rdb.Pipeline()
		replies := make([]*redis.Cmd, len(some))
		for i, call := range some {
			replies[i] = s.EvalSha(ctx, short, call.Keys, call.Args...)
		}
		_, _ = short.Exec(ctx) // each command's own error is looked at
		for i, call := range some {
			if redis.HasErrorPrefix(replies[i].Err(), "NOSCRIPT") { // this node does not know it yet
				replies[i] = s.Eval(ctx, whole, call.Keys, call.Args...)
			}
		}
		_, _ = whole.Exec(ctx)
		all = append(all, replies...)
	}
	return all
}
