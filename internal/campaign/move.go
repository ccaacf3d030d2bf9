package campaign

import (
	"context"
	"errors"
	"fmt"
	"strconv"

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
		return c.retain(ctx, []keys{k})[0].err
	}
	return nil
}

// Complete ends a running campaign of which nobody is left: Expired when its deadline took somebody, else Completed.
// It does so in one script, since other processes may hold recipients; ended is false while the campaign goes on, and
// true also when it has ended like this before. A campaign that never had a recipient, or that is being loaded, goes on.
// missing is how many whoever ended it found to be nowhere.
func (c *Campaigns) Complete(ctx context.Context, id string) (ended bool, missing int64, err error) {
	k, err := c.keys(id)
	if err != nil {
		return false, 0, wrap("complete", id, err)
	}
	deadline, err := c.deadline(ctx, k)
	if err != nil {
		return false, 0, wrap("complete", id, err)
	}
	word, nowhere, err := c.run(ctx, completeScript, k.inOrder(), c.retention(Completed), deadline)
	if word == "missing" {
		err = ErrNotFound
	}
	if word == "ended" {
		missing, err = strconv.ParseInt(nowhere, 10, 64)
	}
	return word == "ended", missing, wrap("complete", id, err)
}

// deadline is the spec's own in ms, 0 where it has none. A script could not read all forms that an application may write.
func (c *Campaigns) deadline(ctx context.Context, k keys) (int64, error) {
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
