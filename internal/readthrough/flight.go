package readthrough

import (
	"context"
	"fmt"
)

// flight is one running query. Callers that need the same ids wait for it and start no second one.
// It ends when its last caller leaves, not when its first one does.
type flight[V any] struct {
	misses  []miss
	cancel  context.CancelFunc
	waiting int // callers; guarded by Cache.mu
	done    chan struct{}
	answers map[string]answer[V] // valid once done is closed, like err
	err     error
}

// answer is what the source has for an id.
type answer[V any] struct {
	text     string
	value    V
	unusable bool
}

// resolve gets the misses from running queries or new ones.
func (c *Cache[V]) resolve(ctx context.Context, misses []miss, found map[string]V, unusable *unusableValues[V], undecidedIDs *undecided) {
	for f, part := range c.joinFlights(ctx, misses) {
		select {
		case <-f.done:
			c.copyAnswers(f, part, found, unusable, undecidedIDs)
		case <-ctx.Done():
			for _, m := range part {
				undecidedIDs.add(m.id, ctx.Err())
			}
		}
		c.leaveFlight(f)
	}
}

// copyAnswers copies the answers to one caller's part of a flight.
func (c *Cache[V]) copyAnswers(f *flight[V], part []miss, found map[string]V, unusable *unusableValues[V], undecidedIDs *undecided) {
	for _, m := range part {
		if f.err != nil {
			undecidedIDs.add(m.id, f.err)
			continue
		}
		a, exists := f.answers[m.id]
		if exists && m.wrong != "" {
			a, exists = c.correct(a, m.wrong)
		}
		switch {
		case !exists:
		case a.unusable:
			unusable.add(m.id, a.value)
		default:
			found[m.id] = a.value
		}
	}
}

// correct returns an answer without what a mark calls wrong. ok is false if nothing is left.
func (c *Cache[V]) correct(a answer[V], wrong string) (corrected answer[V], ok bool) {
	switch rest := c.without(a.text, wrong); rest {
	case a.text:
		return a, true
	case "":
		return a, false
	default:
		value, err := c.decode(rest)
		return answer[V]{text: rest, value: value}, err == nil
	}
}

// joinFlights finds a flight for each miss and starts one for the rest.
func (c *Cache[V]) joinFlights(ctx context.Context, misses []miss) map[*flight[V]][]miss {
	c.mu.Lock()
	defer c.mu.Unlock()
	joined := make(map[*flight[V]][]miss)
	var unclaimed []miss
	for _, m := range misses {
		if f := c.flights[m.id]; f != nil {
			joined[f] = append(joined[f], m)
		} else {
			unclaimed = append(unclaimed, m)
		}
	}
	if len(unclaimed) > 0 {
		joined[c.startFlight(ctx, unclaimed)] = unclaimed
	}
	for f := range joined {
		f.waiting++
	}
	return joined
}

// startFlight starts a query for the misses. The caller holds mu.
func (c *Cache[V]) startFlight(ctx context.Context, misses []miss) *flight[V] {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &flight[V]{misses: misses, cancel: cancel, done: make(chan struct{})}
	for _, m := range misses {
		c.flights[m.id] = f
	}
	go func() {
		f.answers, f.err = c.querySource(ctx, misses)
		c.mu.Lock()
		c.removeFlight(f)
		c.mu.Unlock()
		close(f.done)
	}()
	return f
}

// leaveFlight ends one caller's wait. The last caller cancels the query, and no one can join it
// afterwards.
func (c *Cache[V]) leaveFlight(f *flight[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.waiting--
	if f.waiting == 0 {
		f.cancel()
		c.removeFlight(f)
	}
}

// removeFlight keeps later callers from joining a flight. The caller holds mu.
func (c *Cache[V]) removeFlight(f *flight[V]) {
	for _, m := range f.misses {
		if c.flights[m.id] == f {
			delete(c.flights, m.id)
		}
	}
}

// querySource queries the source and writes its answers back.
func (c *Cache[V]) querySource(ctx context.Context, misses []miss) (map[string]answer[V], error) {
	ids := make([]string, len(misses))
	for i, m := range misses {
		ids[i] = m.id
	}
	texts, err := c.source(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("query source: %w", err)
	}
	return c.writeBack(ctx, misses, c.decodeAll(misses, texts)), nil
}
