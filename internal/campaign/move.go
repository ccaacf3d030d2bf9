package campaign

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"fanfare/internal/queue"
	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// Move changes the state of a campaign if the table allows it. It returns a *TransitionError if
// not, and ErrNotFound without a spec. A campaign that is in the state already is no error, so
// that commands can be repeated.
//
// The reason is shown until the next change. From its end on, the campaign's keys are kept for
// Options.Retention, with the recipients who still wait in a cancelled one.
func (c *Campaigns) Move(ctx context.Context, id string, to State, reason string) error {
	return wrap("move", id, c.move(ctx, id, to, reason))
}

func (c *Campaigns) move(ctx context.Context, id string, to State, reason string) error {
	k, err := c.keys(id)
	if err != nil {
		return err
	}
	if !to.isValid() {
		return fmt.Errorf("there is no state %q", to)
	}
	args := []any{string(to), oneLine(reason), c.retentionMs(to), c.actor(ctx)}
	for _, from := range to.predecessors() {
		args = append(args, string(from))
	}
	word, from, err := c.run(ctx, moveScript, k.scriptKeys(), args...)
	switch {
	case err != nil:
		return err
	case word == "missing":
		return ErrNotFound
	case word == "illegal" && !State(from).isValid():
		return &SpecError{ID: id, Field: fieldState, Problem: badState(from)}
	case word == "illegal":
		return &TransitionError{ID: id, From: State(from), To: to}
	case to.HasEnded():
		return c.retain(ctx, []campaignKeys{k})[0].err
	}
	return nil
}

// Ending says how a campaign ended. Only the process that ended it gets Missing and Reason.
type Ending struct {
	Missing int64  // recipients without an outcome
	Reason  string // why it did not simply complete, and what to do; may be ""
}

// Complete ends a running campaign that has no recipients left: as Expired if its deadline ended
// some of them, as Completed otherwise. One script decides, because other processes may hold
// recipients. ended is also true if the campaign had ended like this before. A campaign that is
// being loaded, or never had a recipient, does not end.
func (c *Campaigns) Complete(ctx context.Context, id string) (ended bool, how Ending, err error) {
	k, err := c.keys(id)
	if err != nil {
		return false, Ending{}, wrap("complete", id, err)
	}
	deadline, err := c.readDeadline(ctx, k)
	if err != nil {
		return false, Ending{}, wrap("complete", id, err)
	}
	a := decode(completeScript.Run(ctx, c.rdb, k.scriptKeys(), c.retentionMs(Completed), deadline,
		adviceReload(id), adviceRecreate, adviceCompare, adviceContinueLoad(id, Source{}, false), adviceContinueLoad(id, Source{}, true), "continue it with "+adviceLoadSource(id), c.actor(ctx)))
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

// NoteEnd notes that the caller logs the end of a cancelled campaign. It reports whether the caller
// is the first; the others must not log it.
func (c *Campaigns) NoteEnd(ctx context.Context, id string) (first bool, err error) {
	k, err := c.keys(id)
	if err != nil {
		return false, wrap("note end of", id, err)
	}
	word, _, err := c.run(ctx, noteEndScript, k.scriptKeys(), queue.NewID())
	return word == "noted", wrap("note end of", id, err)
}

// readDeadline reads the deadline of the spec in ms; 0 means none. Go parses it, because a script
// cannot read every format that an application may write.
func (c *Campaigns) readDeadline(ctx context.Context, k campaignKeys) (int64, error) {
	value, err := c.rdb.HGet(ctx, k.spec, fieldDeadline).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return 0, c.typeError(ctx, err, k.spec, "hash")
	}
	at, _ := ParseDeadline(value) // an unreadable one counts as none, so that the campaign can end
	if at.IsZero() {
		return 0, nil
	}
	return at.UnixMilli(), nil
}

// retentionMs is how long the keys of a campaign in this state are kept, in ms; 0 until it ends.
func (c *Campaigns) retentionMs(s State) int64 {
	if !s.HasEnded() {
		return 0
	}
	return c.o.Retention.Milliseconds()
}

// maxReason is the longest reason in bytes.
const maxReason = 1000

// oneLine makes a reason one line that every page and terminal can show.
func oneLine(reason string) string {
	reason = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, reason)
	if len(reason) > maxReason {
		reason = strings.ToValidUTF8(reason[:maxReason], "")
	}
	return reason
}
