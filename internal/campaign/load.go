package campaign

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/queue"
)

// loadPatience is how long a load counts as running after each batch. During that time its
// campaign cannot complete, even if it is drained faster than loaded.
const loadPatience = 30 * time.Second

// loadMark is the prefix of a field of counts that begin_load.lua writes for each load. A load
// whose mark is gone pushes nothing, because its campaign was deleted. Otherwise the next
// campaign with this id would send to these recipients.
const loadMark = "load:"

// Errors that refuse a load.
var (
	// ErrAudienceExists is returned to a load that does not append when there is an audience
	// already.
	ErrAudienceExists = errors.New("campaign has an audience, or another load has just begun: append to add to it")
	// ErrDeleted is returned when the campaign was deleted during a load, or another load took
	// over.
	ErrDeleted = errors.New("campaign was deleted while it was loaded, or another load has taken over")
	// ErrOtherAudience is returned when a load cannot continue an interrupted one. The files
	// begin with the same recipients and then differ.
	ErrOtherAudience = errors.New("audience is not the one that was being loaded: it begins alike, and then differs")
)

// Loader appends one audience to a campaign's list, batch by batch. Only one goroutine may use
// it.
type Loader struct {
	c         *Campaigns
	id        string
	keys      campaignKeys
	queue     *queue.Queue
	load      string
	appending bool

	missing        int64               // missing recipients that the load may replace
	interrupted    map[string]progress // loads that it may continue
	refused        error               // why it cannot begin as a new load
	resumed        *resumedLoad        // the load that it continues
	resumeDisabled bool
	begun          bool
	next           int64
	place          string // see Mark
	source         string // the digest of the campaign's source, if this loads it
	done           progress
	appended       int64 // recipients that this loader has pushed
	inRedis        int64 // recipients in Redis without an outcome, after the last call
}

// Load opens a load, before or after the campaign is created. The caller calls Append for each
// batch, then Close or Abandon. A campaign in a final state refuses it with a *TransitionError.
//
// A *BusyError means that another loader has the lease.
//
// A load that does not append returns ErrAudienceExists if there is an audience. If it might
// continue an interrupted load, the first Append returns that error instead.
func (c *Campaigns) Load(ctx context.Context, id string, appending bool) (*Loader, error) {
	l, err := c.load(ctx, id, appending)
	return l, wrap("load", id, err)
}

func (c *Campaigns) load(ctx context.Context, id string, appending bool) (*Loader, error) {
	k, err := c.keys(id)
	if err != nil {
		return nil, err
	}
	q, err := c.openQueue(id, c.o.Queue.Linger)
	if err != nil {
		return nil, err
	}
	counts, err := q.Count(ctx)
	if err != nil {
		return nil, err
	}
	l := &Loader{
		c: c, id: id, keys: k, queue: q, load: queue.NewID(), appending: appending,
		missing: booksOf(counts).Missing, interrupted: parseLoads(counts.Notes),
	}
	err = l.begin(ctx, "look")
	if errors.Is(err, ErrAudienceExists) && len(l.interrupted) > 0 {
		l.refused, err = err, nil
	}
	return l, err
}

// DisableResume says that the caller knows where an interrupted load must continue, so the loader
// does not look for the place. When this load is done, the interrupted ones are closed too.
func (l *Loader) DisableResume() error {
	l.interrupted, l.resumeDisabled = nil, true
	return wrap("load", l.id, l.refused)
}

// Resume looks for an interrupted load of a source that knows its place, such as a query with a
// key. If there is one, this load continues it, and the caller begins behind the position.
func (l *Loader) Resume(source string) (position string, found bool) {
	for load, p := range l.interrupted {
		name, at, ok := strings.Cut(p.place, " ")
		if position, err := url.QueryUnescape(at); ok && err == nil && name == url.QueryEscape(source) {
			l.resumed, l.begun = &resumedLoad{l: l, load: load, until: p, passed: p, placed: true}, true
			return position, true
		}
	}
	return "", false
}

// LoadsSource says, before the first batch, that the audience is the campaign's source. Books say
// how much of it is loaded.
func (l *Loader) LoadsSource(s Source) { l.source = s.digest() }

// Mark has the next batch note, in the script that pushes it, how far a source is read then.
func (l *Loader) Mark(source, position string) {
	l.place = url.QueryEscape(source) + " " + url.QueryEscape(position)
}

// Append pushes a batch and renews the deadline of the list. The caller may repeat the batch
// after an error; no recipient is doubled. Recipients that an interrupted load has pushed are
// skipped: see Skipped.
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
		if elements, err = l.resumed.skipLoaded(ctx, elements); err != nil || len(elements) == 0 {
			return err
		}
	}
	done := l.done.plus(elements)
	done.place = l.place
	return l.push(ctx, elements, done)
}

// push pushes a batch and records it, in one round trip. A campaign that has ended meanwhile has
// the batch, although its load stops there.
func (l *Loader) push(ctx context.Context, elements [][]byte, done progress) error {
	var recorded *redis.Cmd
	_, err := l.queue.AppendWith(ctx, queue.Batch{
		Load: l.load, Number: l.next, Elements: elements, TTL: l.c.o.DefaultTTL, Mark: loadMark + l.load,
		Note: progressNote + l.load, Text: done.text(),
	}, func(tx redis.Pipeliner) {
		recorded = loadedScript.EvalSha(ctx, tx, l.keys.scriptKeys(), l.loadedArgs(ctx, "on")...)
	})
	switch {
	case errors.Is(err, queue.ErrUnmarked):
		return ErrDeleted
	case err != nil:
		return err
	}
	err = l.confirm(ctx, recorded)
	if _, ended := errors.AsType[*TransitionError](err); err == nil || ended {
		l.done, l.appended = done, l.appended+int64(len(elements))
		l.next++
		if l.resumed != nil {
			l.resumed.cut = 0
		}
	}
	return err
}

// confirm returns what the script that records a pushed batch refused.
func (l *Loader) confirm(ctx context.Context, recorded *redis.Cmd) error {
	if recorded.Err() != nil { // the server does not know the script, or the transaction was discarded
		return l.report(ctx, "on")
	}
	return l.check("note batch", decode(recorded))
}

// open begins a new load, or continues an interrupted one that had the same first batch.
func (l *Loader) open(ctx context.Context, first [][]byte) error {
	for load, p := range l.interrupted {
		if p.startsWith(first) {
			l.resumed, l.begun = &resumedLoad{l: l, load: load, until: p}, true
			_, err := l.renew(ctx, 0)
			return err
		}
	}
	if l.refused != nil {
		return l.otherBeginning()
	}
	if err := l.c.register(ctx, l.id); err != nil {
		return err
	}
	if err := l.begin(ctx, "begin"); err != nil {
		return err
	}
	l.begun = true
	// Register again: Discover may have removed an entry without a campaign in between.
	return l.c.register(ctx, l.id)
}

// CountAppended returns how many recipients this loader has pushed.
func (l *Loader) CountAppended() int64 { return l.appended }

// CountSkipped returns how many recipients were skipped because an interrupted load had pushed
// them.
func (l *Loader) CountSkipped() int64 {
	if l.resumed == nil {
		return 0
	}
	return l.resumed.passed.rows
}

// Close says that no more batches come, so that the campaign may complete. ErrOtherAudience means
// that the audience ends before the interrupted load that it seemed to continue. The same
// audience must not be loaded again then.
func (l *Loader) Close(ctx context.Context) error {
	if !l.begun {
		return nil
	}
	if l.resumed != nil && !l.resumed.taken {
		if !l.resumed.placed {
			return wrap("load", l.id, ErrOtherAudience)
		}
		if err := l.resumed.takeOver(ctx); err != nil { // there was nothing left to push
			return wrap("load", l.id, err)
		}
	}
	err := l.report(ctx, "done")
	if err == nil && l.resumeDisabled {
		_, _, err = l.c.run(ctx, waiveScript, l.keys.scriptKeys(), "", l.c.actor(ctx), "")
	}
	return wrap("load", l.id, err)
}

// Abandon says that the load stops here; another one may continue it.
func (l *Loader) Abandon(ctx context.Context) error {
	if !l.begun || l.resumed != nil && !l.resumed.taken {
		return nil
	}
	return wrap("load", l.id, l.report(ctx, "off"))
}

// begin checks whether the load may begin (step "look"), or begins it (step "begin").
func (l *Loader) begin(ctx context.Context, step string) error {
	mode := "new"
	if l.appending {
		mode = "append"
	}
	args := append([]any{l.load, mode, step, loadPatience.Milliseconds(), l.missing, loadLease.Milliseconds(), loadOwner(), l.source}, selectStates(State.IsFinal)...)
	reply := decode(beginLoadScript.Run(ctx, l.c.rdb, l.keys.scriptKeys(), args...))
	if reply.err == nil && reply.word == "exists" {
		return ErrAudienceExists
	}
	return l.check("begin", reply)
}

// report records a batch, or the end of the load.
func (l *Loader) report(ctx context.Context, step string) error {
	reply := decode(loadedScript.Run(ctx, l.c.rdb, l.keys.scriptKeys(), l.loadedArgs(ctx, step)...))
	if reply.err == nil && reply.word == "final" && step != "on" {
		return nil // all of it is loaded
	}
	return l.check("note batch", reply)
}

// loadedArgs lays out ARGV as loaded.lua describes it.
func (l *Loader) loadedArgs(ctx context.Context, step string) []any {
	args := []any{l.load, step, loadPatience.Milliseconds(), l.c.actor(ctx), loadLease.Milliseconds(), loadOwner(), l.source}
	return append(args, selectStates(State.IsFinal)...)
}

// check returns what a script about the load refused, or remembers how many recipients are in
// Redis.
func (l *Loader) check(doing string, reply scriptReply) error {
	switch {
	case reply.err != nil:
		return fmt.Errorf("%s: %w", doing, reply.err)
	case reply.word == "deleted":
		return ErrDeleted
	case reply.word == "busy":
		return busyError(l.id, reply.details)
	case reply.word == "final" && len(reply.details) > 0:
		return &TransitionError{ID: l.id, From: State(reply.details[0]), To: Running}
	case len(reply.details) > 0:
		l.inRedis = parseCount(reply.details[0])
	}
	return nil
}
