package campaign

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

// Guard prevents a campaign's list from expiring before its recipients are claimed. The expiry
// that a producer set becomes the deadline, the list is kept, and the number of recipients is
// recorded. A list without a campaign is kept for Options.Queue.Linger after its deadline, others
// until the campaign ends. Discover and List guard all campaigns.
func (c *Campaigns) Guard(ctx context.Context, id string) error {
	k, err := c.keys(id)
	if err != nil {
		return wrap("guard", id, err)
	}
	return wrap("guard", id, c.guard(ctx, k))
}

// guardResult is the result of guard.lua.
type guardResult struct {
	vanished int64 // recipients that left the list without a claim
	overdue  bool  // the deadline that the producer set has passed
}

func (c *Campaigns) guard(ctx context.Context, k campaignKeys) error {
	return c.runEach(ctx, guardScript, []redisx.Call{c.guardCall(k)})[0].err
}

func (c *Campaigns) guardCall(k campaignKeys) redisx.Call {
	return redisx.Call{Keys: k.scriptKeys(), Args: append([]any{c.o.Queue.Linger.Milliseconds()}, selectStates(State.IsFinal)...)}
}

// parseGuard parses the reply of guard.lua.
func (a scriptReply) parseGuard() (g guardResult) {
	if len(a.details) == 2 {
		g.vanished, _ = strconv.ParseInt(a.details[0], 10, 64) // written by the script
		g.overdue = a.details[1] == "1"
	}
	return g
}

// guardAll guards the lists of all campaigns that can still run. A key of the wrong type is
// ignored here; the caller that uses the key reports it.
func (c *Campaigns) guardAll(ctx context.Context, heads []head) error {
	var live []int
	var calls []redisx.Call
	for i, h := range heads {
		if !h.spec.State.IsFinal() && (h.listed || h.spec.State != "" && h.spec.State != Completed) {
			live, calls = append(live, i), append(calls, c.guardCall(h.keys))
		}
	}
	for i, a := range c.runEach(ctx, guardScript, calls) {
		_, mistyped := errors.AsType[*redisx.TypeError](a.err)
		if a.err != nil && !mistyped {
			return fmt.Errorf("guard lists: %w", a.err)
		}
		heads[live[i]].guarded = a.parseGuard()
	}
	return nil
}

// retain sets an expiry on all keys of ended campaigns, equal to that of their specs. Recipients
// in flight may create keys later, so Discover repeats it.
func (c *Campaigns) retain(ctx context.Context, ended []campaignKeys) []scriptReply {
	pipe := c.rdb.Pipeline()
	leases := make([]*redis.StringSliceCmd, len(ended))
	for i, k := range ended {
		leases[i] = pipe.ZRange(ctx, k.leases, 0, -1)
	}
	_, _ = pipe.Exec(ctx) // the error of each command is checked below
	args := append([]any{c.o.Retention.Milliseconds()}, selectStates(State.HasEnded)...)
	calls, unread := make([]redisx.Call, len(ended)), make([]error, len(ended))
	for i, k := range ended {
		var claims []string
		claims, unread[i] = parseClaims(leases[i])
		calls[i] = redisx.Call{Keys: append(k.scriptKeys(), k.pace, k.breaker, k.traffic), Args: args}
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

// parseClaims returns the members of a campaign's leases, and none if the key holds another type.
func parseClaims(leases *redis.StringSliceCmd) ([]string, error) {
	claims, err := leases.Result()
	if redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("list leases: %w", err)
	}
	return claims, nil
}
