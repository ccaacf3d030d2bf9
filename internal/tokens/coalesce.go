package tokens

import (
	"context"
	"sync"
	"time"

	"fanfare/internal/readthrough"
)

// maxQueryDelay is how long a running query may delay the next one. Without it a hanging query
// blocks all callers, in all campaigns, until it times out.
const maxQueryDelay = time.Second

// coalescer queries SQL for single users, one query at a time. Callers that arrive during a query
// share the next one, which waits at most maxQueryDelay. A campaign to many dead tokens thus needs
// few queries, and a single caller waits for no one.
type coalescer struct {
	query readthrough.Source

	mu   sync.Mutex
	busy bool
	next *sharedQuery // the query that new callers join; nil: none yet
}

// sharedQuery is one query and its callers. It ends when its last caller leaves, not when its first
// one does.
type sharedQuery struct {
	users   []string
	ctx     context.Context
	cancel  context.CancelFunc
	waiting int           // guarded by asker.mu
	done    chan struct{} // the fields below are valid once it is closed
	found   map[string]string
	err     error
}

// get returns the user's record in SQL, or "". The query begins after the call does.
func (a *coalescer) get(ctx context.Context, user string) (string, error) {
	r := a.join(ctx, user)
	defer a.leave(r)
	select {
	case <-r.done:
		return r.found[user], r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (a *coalescer) join(ctx context.Context, user string) *sharedQuery {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == nil {
		a.next = &sharedQuery{done: make(chan struct{})}
		a.next.ctx, a.next.cancel = context.WithCancel(context.WithoutCancel(ctx))
	}
	r := a.next
	r.users = append(r.users, user)
	r.waiting++
	if !a.busy {
		a.busy = true
		go a.run()
	}
	return r
}

// leave ends one caller's wait. The last caller cancels the query.
func (a *coalescer) leave(r *sharedQuery) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.waiting--; r.waiting > 0 {
		return
	}
	r.cancel()
	if a.next == r {
		a.next = nil
	}
}

// run runs queries until no caller waits.
func (a *coalescer) run() {
	for r := a.take(); r != nil; r = a.take() {
		go a.runOne(r)
		select {
		case <-r.done:
		case <-time.After(maxQueryDelay):
		}
	}
}

func (a *coalescer) runOne(r *sharedQuery) {
	defer close(r.done)
	r.found, r.err = a.query(r.ctx, r.users)
}

func (a *coalescer) take() *sharedQuery {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.next
	a.next, a.busy = nil, r != nil
	return r
}
