package campaign

import (
	"context"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

// answer is what a script says of one campaign: a word, and what stands behind it.
type answer struct {
	word    string
	details []string
	err     error
}

// inOrder are calls of a script that needs the keys, and the same args for each campaign.
func inOrder(heads []head, args ...any) []redisx.Call {
	calls := make([]redisx.Call, len(heads))
	for i, h := range heads {
		calls[i] = redisx.Call{Keys: h.keys.inOrder(), Args: args}
	}
	return calls
}

// runEach runs a script for many campaigns; what goes wrong with one of them is no matter to the others.
func (c *Campaigns) runEach(ctx context.Context, s *redis.Script, calls []redisx.Call) []answer {
	answers := make([]answer, len(calls))
	for i, reply := range redisx.RunEach(ctx, c.rdb, s, calls) {
		answers[i] = decode(reply)
	}
	return answers
}
