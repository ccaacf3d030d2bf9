package readthrough

import (
	"context"
	"fmt"
)

// flight is one query that is under way. Callers who need the same ids wait for it instead of asking again. It does
// not end with the caller who started it, but with the last one who waits for it.
type flight[V any] struct {
	misses  []miss
	cancel  context.CancelFunc
	waiting int // callers; guarded by Cache.mu
	done    chan struct{}
	answers map[string]answer[V] // readable once done is closed, as is err
	err     error
}

// answer is what exists for an id.
type answer[V any] struct {
	text     string
	value    V
	unusable bool
}

// resolve gets the misses from the source, or from whoever is asking for them already.
func (c *Cache[V]) resolve(ctx context.Context, misses []miss, found map[string]V, unusable *leftovers[V], open *undecided) {
	for f, part := range c.board(ctx, misses) {
		select {
		case <-f.done:
			f.share(part, c.same, found, unusable, open)
		case <-ctx.Done():
			for _, m := range part {
				open.add(m.id, ctx.Err())
			}
		}
		c.leave(f)
	}
}

// share copies the answers to one caller's part of a flight.
func (f *flight[V]) share(part []miss, same func(text, wrong string) bool, found map[string]V, unusable *leftovers[V], open *undecided) {
	for _, m := range part {
		if f.err != nil {
			open.add(m.id, f.err)
			continue
		}
		a, exists := f.answers[m.id]
		switch {
		case !exists || m.wrong != "" && same(a.text, m.wrong):
		case a.unusable:
			unusable.add(m.id, a.value)
		default:
			found[m.id] = a.value
		}
	}
}

// board finds a flight for each miss, starting one for those that nobody asks for yet.
func (c *Cache[V]) board(ctx context.Context, misses []miss) map[*flight[V]][]miss {
	c.mu.Lock()
	defer c.mu.Unlock()
	boarded := make(map[*flight[V]][]miss)
	var alone []miss
	for _, m := range misses {
		if f := c.flights[m.id]; f != nil {
			boarded[f] = append(boarded[f], m)
		} else {
			alone = append(alone, m)
		}
	}
	if len(alone) > 0 {
		boarded[c.start(ctx, alone)] = alone
	}
	for f := range boarded {
		f.waiting++
	}
	return boarded
}

// start sets out for the misses. It is called with mu held.
func (c *Cache[V]) start(ctx context.Context, misses []miss) *flight[V] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight[V]{misses: misses, cancel: cancel, done: make(chan struct{})}
	for _, m := range misses {
		c.flights[m.id] = f
	}
	go func() {
		f.answers, f.err = c.ask(ctx, misses)
		c.mu.Lock()
		c.close(f)
		c.mu.Unlock()
		close(f.done)
	}()
	return f
}

// leave ends one caller's wait. With nobody left the query is cancelled, and nobody may board it any more.
func (c *Cache[V]) leave(f *flight[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
	if f.waiting == 0 {
		f.cancel()
		c.close(f)
	}
}

// close lets nobody board a flight any more; the next caller starts another. It is called with mu held.
func (c *Cache[V]) close(f *flight[V]) {
	for _, m := range f.misses {
		if c.flights[m.id] == f {
			delete(c.flights, m.id)
		}
	}
}

// ask queries the source and writes back what it said.
func (c *Cache[V]) ask(ctx context.Context, misses []miss) (map[string]answer[V], error) {
	ids := make([]string, len(misses))
	for i, m := range misses {
		ids[i] = m.id
	}
	texts, err := c.source(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("ask source: %w", err)
	}
	return c.writeBack(ctx, misses, c.decodeAll(misses, texts)), nil
}
