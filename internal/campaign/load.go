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
	keys      campaignKeys
	queue     *queue.Queue
	load      string
	appending bool

	missing     int64               // recipients that the load may replace
	interrupted map[string]progress // loads that it may go on with
	refused     error               // why it cannot begin as a load of its own
	resumed     *resumption         // the load that it goes on with
	byHand      bool
	begun       bool
	next        int64
	done        progress
}

// Load opens a load, before or after the campaign is created. A campaign that is over for good refuses it with a
// *TransitionError. Unless it appends, it is refused with ErrAudienceExists when there is an audience already: by Load, or by the
// first Append where a load was interrupted that this one may go on with. The caller appends, then closes or abandons.
func (c *Campaigns) Load(ctx context.Context, id string, appending bool) (*Loader, error) {
	l, err := c.load(ctx, id, appending)
	return l, wrap("load", id, err)
}

func (c *Campaigns) load(ctx context.Context, id string, appending bool) (*Loader, error) {
	k, err := c.keys(id)
	if err != nil {
		return nil, err
	}
	q, err := c.gated(id, c.o.Queue.Linger)
	if err != nil {
		return nil, err
	}
	counts, err := q.Count(ctx)
	if err != nil {
		return nil, err
	}
	l := &Loader{
		c: c, id: id, keys: k, queue: q, load: queue.NewClaimID(), appending: appending,
		missing: booksOf(counts).Missing, interrupted: loadsIn(counts.Notes),
	}
	err = l.begin(ctx, "look")
	if errors.Is(err, ErrAudienceExists) && len(l.interrupted) > 0 {
		l.refused, err = err, nil
	}
	return l, err
}

// ByHand says that the caller knows where an interrupted load has to go on: this one does not look for that itself, and those
// that were interrupted are over when it is done.
func (l *Loader) ByHand() error {
	l.interrupted, l.byHand = nil, true
	return wrap("load", l.id, l.refused)
}

// Append pushes a batch and renews the deadline of the list. After an error the same batch may be given again: no recipient is
// doubled. Recipients that an interrupted load has loaded are passed over: see Passed.
func (l *Loader) Append(ctx context.Context, elements [][]byte) error {
	return wrap("load", l.id, l.append(ctx, elements))
}

func (l *Loader) append(ctx context.Context, elements [][]byte) error {
	if !l.begun {
		if err := l.open(ctx, elements); err != nil {
			return err
		}
	}
	if l.resumed != nil {
		var err error
		if elements, err = l.resumed.pass(ctx, elements); err != nil || len(elements) == 0 {
			return err
		}
	}
	done := l.done.plus(elements)
	_, err := l.queue.Append(ctx, queue.Batch{
		Load: l.load, Number: l.next, Elements: elements, TTL: l.c.o.DefaultTTL, Mark: loadMark + l.load,
		Note: progressNote + l.load, Text: done.text(),
	})
	switch {
	case errors.Is(err, queue.ErrUnmarked):
		return ErrDeleted
	case err != nil:
		return err
	}
	if err := l.report(ctx, "on"); err != nil {
		return err
	}
	l.done = done
	l.next++
	if l.resumed != nil {
		l.resumed.cut = 0
	}
	return nil
}

// open begins a load of its own, or goes on with one that was interrupted and had this batch first.
func (l *Loader) open(ctx context.Context, first [][]byte) error {
	for load, p := range l.interrupted {
		if p.startsWith(first) {
			l.resumed, l.begun = &resumption{l: l, load: load, until: p}, true
			return nil
		}
	}
	if l.refused != nil {
		return l.refused
	}
	if err := l.c.register(ctx, l.id); err != nil {
		return err
	}
	if err := l.begin(ctx, "begin"); err != nil {
		return err
	}
	l.begun = true
	// And again, for Discover may have found an entry without a campaign in between.
	return l.c.register(ctx, l.id)
}

// Passed is how many recipients were passed over, for an interrupted load had loaded them.
func (l *Loader) Passed() int64 {
	if l.resumed == nil {
		return 0
	}
	return l.resumed.passed.rows
}

// Close says that nothing more comes: the campaign may complete. An error after which the same audience is not to be loaded again is
// ErrOtherAudience: it ends before the interrupted load that it seemed to go on with.
func (l *Loader) Close(ctx context.Context) error {
	if !l.begun {
		return nil
	}
	if l.resumed != nil && !l.resumed.taken {
		return wrap("load", l.id, ErrOtherAudience)
	}
	err := l.report(ctx, "done")
	if err == nil && l.byHand {
		_, _, err = l.c.run(ctx, waiveScript, l.keys.inOrder(), "")
	}
	return wrap("load", l.id, err)
}

// Abandon says that the load breaks off, for another to go on with it.
func (l *Loader) Abandon(ctx context.Context) error {
	if !l.begun || l.resumed != nil && !l.resumed.taken {
		return nil
	}
	return wrap("load", l.id, l.report(ctx, "off"))
}

// begin asks whether the load may begin, with "look"; "begin" also lets it.
func (l *Loader) begin(ctx context.Context, step string) error {
	mode := "new"
	if l.appending {
		mode = "append"
	}
	args := append([]any{l.load, mode, step, loadPatience.Milliseconds(), l.missing}, selectStates(State.Final)...)
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

// report follows a batch, or the end of the load.
func (l *Loader) report(ctx context.Context, step string) error {
	args := slices.Insert(selectStates(State.Final), 0, any(l.load), any(step), any(loadPatience.Milliseconds()))
	word, state, err := l.c.run(ctx, loadedScript, l.keys.inOrder(), args...)
	switch {
	case err != nil:
		return fmt.Errorf("note batch: %w", err)
	case word == "deleted":
		return ErrDeleted
	case word == "final" && step == "on":
		return &TransitionError{ID: l.id, From: State(state), To: Running}
	}
	return nil
}
