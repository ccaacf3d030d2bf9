package campaign

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// Move changes a campaign's state if the table has the transition: a *TransitionError and no change otherwise,
// ErrNotFound without a spec. Being in that state already is no error, for a repeated command must not be one.
// The reason is shown to people until the next change. From an end on, the campaign's keys are kept for
// Options.Retention; who still waits in a cancelled campaign is not lost before that.
func (c *Campaigns) Move(ctx context.Context, id string, to State, reason string) error {
	return wrap("move", id, c.move(ctx, id, to, reason))
}

func (c *Campaigns) move(ctx context.Context, id string, to State, reason string) error {
	k, err := c.keys(id)
	if err != nil {
		return err
	}
	if !to.valid() {
		return fmt.Errorf("there is no state %q", to)
	}
	args := []any{string(to), reason, c.retention(to)}
	for _, from := range to.before() {
		args = append(args, string(from))
	}
	word, from, err := c.run(ctx, moveScript, k.inOrder(), args...)
	switch {
	case err != nil:
		return err
	case word == "missing":
		return ErrNotFound
	case word == "illegal" && !State(from).valid():
		return &SpecError{ID: id, Field: fieldState, Problem: badState(from)}
	case word == "illegal":
		return &TransitionError{ID: id, From: State(from), To: to}
	case to.Ended():
		return c.retain(ctx, []campaignKeys{k})[0].err
	}
	return nil
}

// Ending is how a campaign has ended. Missing and Reason are known to the process alone that ended it.
type Ending struct {
	Missing int64  // recipients without an outcome
	Reason  string // why it is not plainly completed, and what to do; ""
}

// Complete ends a running campaign of which no one is left: Expired when its deadline took somebody, else Completed.
// It does so in one script, since other processes may hold recipients; ended is false while the campaign goes on, and
// true also when it has ended like this before. A campaign that never had a recipient, or that is being loaded, goes on.
func (c *Campaigns) Complete(ctx context.Context, id string) (ended bool, how Ending, err error) {
	k, err := c.keys(id)
	if err != nil {
		return false, Ending{}, wrap("complete", id, err)
	}
	deadline, err := c.deadline(ctx, k)
	if err != nil {
		return false, Ending{}, wrap("complete", id, err)
	}
	a := decode(completeScript.Run(ctx, c.rdb, k.inOrder(), c.retention(Completed), deadline,
		reload(id), recreate, compare, goOnLoading(id)))
	switch {
	case a.err != nil:
		return false, Ending{}, wrap("complete", id, a.err)
	case a.word == "missing":
		return false, Ending{}, wrap("complete", id, ErrNotFound)
	case a.word != "ended":
		return false, Ending{}, nil
	case len(a.details) != 2:
		return false, Ending{}, wrap("complete", id, redisx.ErrReply)
	}
	how.Reason = a.details[1]
	how.Missing, err = strconv.ParseInt(a.details[0], 10, 64)
	return true, how, wrap("complete", id, err)
}

// deadline is the spec's own in ms, 0 where it has none. A script could not read all forms that an application may write.
func (c *Campaigns) deadline(ctx context.Context, k campaignKeys) (int64, error) {
	value, err := c.rdb.HGet(ctx, k.spec, fieldDeadline).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, c.typed(ctx, err, k.spec, "hash")
	}
	at, _ := ParseDeadline(value) // one that cannot be read is none: the campaign must end all the same
	if at.IsZero() {
		return 0, nil
	}
	return at.UnixMilli(), nil
}

// retention is how many ms the keys of a campaign in this state are kept; 0: until it ends.
func (c *Campaigns) retention(s State) int64 {
	if !s.Ended() {
		return 0
	}
	return c.o.Retention.Milliseconds()
}
