package readthrough

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// miss is an id that Redis has no usable value for.
type miss struct {
	id         string
	unreadable bool   // Redis holds text that cannot be read …
	text       string // … namely this, which may be replaced
	wrong      string // text known to be wrong; "" when there is none
}

// Lookup answers the ids. One that is neither in the map nor named by the error does not exist. The error is nil or a
// *SourceError.
func (c *Cache[V]) Lookup(ctx context.Context, ids []string) (map[string]V, error) {
	ids = distinct(ids)
	found := make(map[string]V, len(ids))
	var (
		open     undecided
		unusable leftovers[V]
	)
	misses := c.cached(ctx, ids, found, &unusable, &open)
	hits := len(found)
	if c.source != nil {
		misses = c.unmarked(ctx, misses, &open)
		c.resolve(ctx, misses, found, &unusable, &open)
	}
	c.check(ctx, ids, found, &open)
	c.lookups.count(len(ids), hits, len(found), len(open.ids))
	unusable.fill(found, &open)
	return found, open.err()
}

// leftovers are unusable values by id: the answer where nothing better is found. Nearly always there are none.
type leftovers[V any] map[string]V

func (l *leftovers[V]) add(id string, value V) {
	if *l == nil {
		*l = make(leftovers[V])
	}
	(*l)[id] = value
}

// fill answers with what is left over. An id about which the source said nothing stays undecided.
func (l leftovers[V]) fill(found map[string]V, open *undecided) {
	for id, value := range l {
		if _, better := found[id]; !better && !slices.Contains(open.ids, id) {
			found[id] = value
		}
	}
}

// cached moves what Redis holds into found, or into unusable, and returns those without a usable value.
func (c *Cache[V]) cached(ctx context.Context, ids []string, found map[string]V, unusable *leftovers[V], open *undecided) []miss {
	var (
		misses     []miss
		unreadable int
		example    error
	)
	for i, r := range c.read(ctx, c.keys.Value, ids) {
		m := miss{id: ids[i]}
		if r.err != nil {
			open.add(m.id, fmt.Errorf("read cache: %w", r.err))
			continue
		}
		if r.held {
			v, err := c.decode(r.text)
			if err == nil {
				found[m.id] = v
				continue
			}
			switch {
			case errors.Is(err, ErrUnusable):
				unusable.add(m.id, v)
			case errors.Is(err, ErrEmpty):
				m.unreadable, m.text = true, r.text
			default:
				m.unreadable, m.text = true, r.text
				unreadable++
				example = fmt.Errorf("%s: %w", c.keys.Value(m.id), err)
			}
		}
		misses = append(misses, m)
	}
	if unreadable > 0 {
		c.log.Warn("cached values cannot be read and count as absent", "count", unreadable, "example", example)
	}
	return misses
}

// unmarked leaves out the ids that are marked as unknown to the source, and notes what is marked as wrong.
func (c *Cache[V]) unmarked(ctx context.Context, misses []miss, open *undecided) []miss {
	ids := make([]string, len(misses))
	for i, m := range misses {
		ids[i] = m.id
	}
	ask := misses[:0]
	for i, r := range c.read(ctx, c.keys.None, ids) {
		m := misses[i]
		switch {
		case r.err != nil:
			open.add(m.id, fmt.Errorf("read cache: %w", r.err))
		case r.held && r.text == "":
		default:
			m.wrong = r.text
			ask = append(ask, m)
		}
	}
	return ask
}

// undecided collects the ids that a look-up has no answer for.
type undecided struct {
	ids   []string
	cause error // the first one; the others are hardly ever different
}

func (u *undecided) add(id string, cause error) {
	u.ids = append(u.ids, id)
	if u.cause == nil {
		u.cause = cause
	}
}

func (u *undecided) err() error {
	if len(u.ids) == 0 {
		return nil
	}
	return &SourceError{IDs: u.ids, Err: u.cause}
}

func distinct(ids []string) []string {
	seen := make(map[string]struct{}, len(ids))
	out := make([]string, 0, len(ids))
	for _, id := range ids {
		if _, repeated := seen[id]; !repeated {
			seen[id] = struct{}{}
			out = append(out, id)
		}
	}
	return out
}
