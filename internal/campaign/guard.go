package campaign

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"fanfare/internal/redisx"
)

// Guard keeps what waits in a campaign's list from vanishing, before anyone claims from it. The expiry that a producer has set
// becomes the deadline, the list lives on, and the books note how many recipients there are. A list without a campaign is kept for
// Options.Queue.Linger beyond its deadline, one with a campaign until that ends. Discover and List guard all campaigns.
func (c *Campaigns) Guard(ctx context.Context, id string) error {
	k, err := c.keys(id)
	if err != nil {
		return wrap("guard", id, err)
	}
	return wrap("guard", id, c.guard(ctx, k))
}

// guarded is what a look at a list has found.
type guarded struct {
	vanished int64 // recipients who were in the list once, and are neither there nor claimed
	overdue  bool  // the deadline of its producer has passed
}

func (c *Campaigns) guard(ctx context.Context, k campaignKeys) error {
	return c.runEach(ctx, guardScript, []redisx.Call{c.guardCall(k)})[0].err
}

func (c *Campaigns) guardCall(k campaignKeys) redisx.Call {
	return redisx.Call{Keys: k.inOrder(), Args: append([]any{c.o.Queue.Linger.Milliseconds()}, selectStates(State.Final)...)}
}

// guarded reads the answer of guard.lua.
func (a answer) guarded() (g guarded) {
	if len(a.details) == 2 {
		g.vanished, _ = strconv.ParseInt(a.details[0], 10, 64) // written by the script
		g.overdue = a.details[1] == "1"
	}
	return g
}

// guardAll guards the lists of all campaigns but those that have ended for good. What is wrong with the type of a key is told by
// those who need it.
func (c *Campaigns) guardAll(ctx context.Context, heads []head) error {
	var live []int
	var calls []redisx.Call
	for i, h := range heads {
		if !h.spec.State.Final() && (h.listed || h.spec.State != "" && h.spec.State != Completed) {
			live, calls = append(live, i), append(calls, c.guardCall(h.keys))
		}
	}
	for i, a := range c.runEach(ctx, guardScript, calls) {
		_, mistyped := errors.AsType[*redisx.TypeError](a.err)
		if a.err != nil && !mistyped {
			return fmt.Errorf("guard lists: %w", a.err)
		}
		heads[live[i]].guarded = a.guarded()
	}
	return nil
}
