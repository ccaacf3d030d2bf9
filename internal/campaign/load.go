package campaign

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fanfare/internal/queue"
)

// loadPatience is how long after a batch a load counts as going on. While it does, a campaign that is drained faster
// than it is loaded is not complete.
const loadPatience = 30 * time.Second

// loadMark begins the field of counts, written by begin_load.lua, that is there for as long as a load's campaign: what a load pushed
// after a deletion would be sent to by the next campaign of that id.
const loadMark = "load:"

// Loader brings one audience into a campaign's list, batch by batch. It is for one goroutine.
type Loader struct {
	c         *Campaigns
	id        string
	keys      keys
	queue     *queue.Queue
	load      string
	appending bool
	next      int64
}

// Load opens a load, before or after the campaign is created. Unless it appends, it is refused with ErrAudienceExists
// when there is an audience already; a campaign that is over for good refuses it with a *TransitionError.
// The caller appends, then closes.
func (c *Campaigns) Load(ctx context.Context, id string, appending bool) (*Loader, error) {
	l, err := c.load(ctx, id, appending)
	return l, wrap("load", id, err)
}

func (c *Campaigns) load(ctx context.Context, id string, appending bool) (*Loader, error) {
	k, err := c.keys(id)
	if err != nil {
		return nil, err
	}
	q, err := c.Queue(id)
	if err != nil {
		return nil, err
	}
	l := &Loader{c: c, id: id, keys: k, queue: q, load: queue.NewClaimID(), appending: appending}
	return l, l.begin(ctx, "look")
}

// Append pushes a batch and renews the expiry of the list. After an error the same batch may be given again: no
// recipient is doubled.
func (l *Loader) Append(ctx context.Context, elements [][]byte) error {
	return wrap("load", l.id, l.append(ctx, elements))
}

func (l *Loader) append(ctx context.Context, elements [][]byte) error {
	if l.next == 0 {
		if err := l.c.register(ctx, l.id); err != nil {
			return err
		}
		if err := l.begin(ctx, "begin"); err != nil {
			return err
		}
		// And again, for Discover may have found an entry without a campaign in between.
		if err := l.c.register(ctx, l.id); err != nil {
			return err
		}
	}
	_, err := l.queue.Append(ctx, queue.Batch{
		Load: l.load, Number: l.next, Elements: elements, TTL: l.c.o.DefaultTTL, Mark: loadMark + l.load,
	})
	switch {
	case errors.Is(err, queue.ErrUnmarked):
		return ErrDeleted
	case err != nil:
		return err
	}
	if err := l.report(ctx, loadPatience); err != nil {
		return err
	}
	l.next++
	return nil
}

// Close says that nothing more comes: the campaign may complete.
func (l *Loader) Close(ctx context.Context) error {
	if l.next == 0 {
		return nil
	}
	return wrap("load", l.id, l.report(ctx, 0))
}

// begin asks whether the load may begin, with "look"; "begin" also lets it.
func (l *Loader) begin(ctx context.Context, step string) error {
	mode := "new"
	if l.appending {
		mode = "append"
	}
	args := append([]any{l.load, mode, step, loadPatience.Milliseconds()}, selectStates(State.Final)...)
	word, state, err := l.c.run(ctx, beginLoadScript, l.keys.inOrder(), args...)
	switch {
	case err != nil:
		return fmt.Errorf("begin: %w", err)
	case word == "exists":
		return ErrAudienceExists
	case word == "final":
		return &TransitionError{ID: l.id, From: State(state), To: Running}
	}
	return nil
}

// report follows a batch, or ends the load.
func (l *Loader) report(ctx context.Context, patience time.Duration) error {
	args := slices.Insert(selectStates(State.Final), 0, any(l.load), any(patience.Milliseconds()))
	word, state, err := l.c.run(ctx, loadedScript, l.keys.inOrder(), args...)
	switch {
	case err != nil:
		return fmt.Errorf("note batch: %w", err)
	case word == "deleted":
		return ErrDeleted
	case word == "final" && patience > 0:
		return &TransitionError{ID: l.id, From: State(state), To: Running}
	}
	return nil
}
