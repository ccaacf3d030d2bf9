package campaign

import (
	"context"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

// answer is the reply of a script about one campaign: a word, and details.
type answer struct {
	word    string
	details []string
	err     error
}

// inOrder builds one call for each campaign, with its keys and the same arguments.
func inOrder(heads []head, args ...any) []redisx.Call {
	calls := make([]redisx.Call, len(heads))
	for i, h := range heads {
		calls[i] = redisx.Call{Keys: h.keys.inOrder(), Args: args}
	}
	return calls
}

// runEach runs a script for many campaigns. An error of one campaign does not affect the others.
func (c *Campaigns) runEach(ctx context.Context, s *redis.Script, calls []redisx.Call) []answer {
	answers := make([]answer, len(calls))
	for i, reply := range redisx.RunEach(ctx, c.rdb, s, calls) {
		answers[i] = decode(reply)
	}
	return answers
}
