package tokens

import (
	"context"
	"sync"
	"time"
)

// longestHold is how long a query may keep those who come after it. One that hangs would else hold up whoever needs SQL,
// in all campaigns, until it is given up.
const longestHold = time.Second

// asker asks SQL about single users, with one query at a time: those who come while a query is under way share the next
// one, which waits for it no longer than longestHold. So a campaign to many dead tokens costs few queries, and a lone
// question waits for nobody.
type asker struct {
	source Source

	mu   sync.Mutex
	busy bool
	next *round // who comes now; nil: nobody yet
}

// round is one query and those who wait for it. It does not end with the caller who began it, but with the last one.
type round struct {
	users   []string
	ctx     context.Context
	cancel  context.CancelFunc
	waiting int           // guarded by asker.mu
	done    chan struct{} // once it is closed:
	found   map[string]string
	err     error
}

// ask returns the user's token in SQL; "" when there is none. The query begins after the call does.
func (a *asker) ask(ctx context.Context, user string) (string, error) {
	r := a.join(ctx, user)
	defer a.leave(r)
	select {
	case <-r.done:
		return r.found[user], r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (a *asker) join(ctx context.Context, user string) *round {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.next == nil {
		a.next = &round{done: make(chan struct{})}
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

// leave ends one caller's wait. With nobody left the query is cancelled.
func (a *asker) leave(r *round) {
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

// run asks until nobody waits.
func (a *asker) run() {
	for r := a.take(); r != nil; r = a.take() {
		go a.query(r)
		select {
		case <-r.done:
		case <-time.After(longestHold):
		}
	}
}

func (a *asker) query(r *round) {
	defer close(r.done)
	r.found, r.err = a.source.Tokens(r.ctx, r.users)
}

func (a *asker) take() *round {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.next
	a.next, a.busy = nil, r != nil
	return r
}
