package campaign

import (
	"context"
	"slices"

	"github.com/redis/go-redis/v9"
)

// call is what a script is given about one campaign, and answer the word that it says.
type (
	call struct {
		keys []string
		args []any
	}
	answer struct {
		word    string
		details []string
		err     error
	}
)

// inOrder are calls of a script that needs the keys, and the same args for each campaign.
func inOrder(heads []head, args ...any) []call {
	calls := make([]call, len(heads))
	for i, h := range heads {
		calls[i] = call{keys: h.keys.inOrder(), args: args}
	}
	return calls
}

// runEach runs a script for many campaigns in few round trips; what goes wrong with one of them is no matter to the others.
func (c *Campaigns) runEach(ctx context.Context, s *redis.Script, calls []call) []answer {
	answers := make([]answer, 0, len(calls))
	for some := range slices.Chunk(calls, headsAtOnce) {
		short, whole := c.rdb.Pipeline(), c.rdb.Pipeline()
		replies := make([]*redis.Cmd, len(some))
		for i, call := range some {
			replies[i] = s.EvalSha(ctx, short, call.keys, call.args...)
		}
		_, _ = short.Exec(ctx) // each command's own error is looked at
		for i, call := range some {
			if redis.HasErrorPrefix(replies[i].Err(), "NOSCRIPT") { // this node does not know it yet
				replies[i] = s.Eval(ctx, whole, call.keys, call.args...)
			}
		}
		_, _ = whole.Exec(ctx)
		for _, reply := range replies {
			answers = append(answers, decode(reply))
		}
	}
	return answers
}
