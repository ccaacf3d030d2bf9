package readthrough

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// miss is an id without a usable value in Redis.
type miss struct {
	id         string
	unreadable bool   // Redis holds an unreadable text,
	text       string // which is this one and may be replaced
	wrong      string // text known to be wrong, or ""
}

// Lookup returns the values of the ids. An id that is neither in the map nor undecided does not
// exist. The error is nil or a *SourceError.
func (c *Cache[V]) Lookup(ctx context.Context, ids []string) (map[string]V, error) {
	ids = dedupe(ids)
	found := make(map[string]V, len(ids))
	var (
		undecidedIDs undecided
		unusable     unusableValues[V]
	)
	misses := c.readCached(ctx, ids, found, &unusable, &undecidedIDs)
	hits := len(found)
	if c.source != nil {
		misses = c.dropMarked(ctx, misses, &undecidedIDs)
		c.resolve(ctx, misses, found, &unusable, &undecidedIDs)
	}
	c.findMistyped(ctx, ids, found, &undecidedIDs)
	c.lookups.count(len(ids), hits, len(found), len(undecidedIDs.ids))
	unusable.fill(found, &undecidedIDs)
	return found, undecidedIDs.err()
}

// Peek is Lookup without writes: it moves no expiry and sets no mark.
func (c *Cache[V]) Peek(ctx context.Context, ids []string) (map[string]V, error) {
	ids = dedupe(ids)
	found := make(map[string]V, len(ids))
	var (
		undecidedIDs undecided
		unusable     unusableValues[V]
	)
	misses := c.readCached(ctx, ids, found, &unusable, &undecidedIDs)
	if c.source != nil && len(misses) > 0 {
		c.peekSource(ctx, c.dropMarked(ctx, misses, &undecidedIDs), found, &unusable, &undecidedIDs)
	}
	unusable.fill(found, &undecidedIDs)
	return found, undecidedIDs.err()
}

// peekSource queries the source for the misses.
func (c *Cache[V]) peekSource(ctx context.Context, misses []miss, found map[string]V, unusable *unusableValues[V], undecidedIDs *undecided) {
	ask := make([]string, len(misses))
	for i, m := range misses {
		ask[i] = m.id
	}
	texts, err := c.source(ctx, ask)
	if err != nil {
		for _, id := range ask {
			undecidedIDs.add(id, fmt.Errorf("query source: %w", err))
		}
		return
	}
	for id, a := range c.decodeAll(misses, texts) {
		if a.unusable {
			unusable.add(id, a.value)
			continue
		}
		found[id] = a.value
	}
}

// unusableValues are answers by id where nothing better is found. They are rare.
type unusableValues[V any] map[string]V

func (l *unusableValues[V]) add(id string, value V) {
	if *l == nil {
		*l = make(unusableValues[V])
	}
	(*l)[id] = value
}

// fill adds the unusable values to found. An id that the source did not answer stays undecided.
func (l unusableValues[V]) fill(found map[string]V, undecidedIDs *undecided) {
	for id, value := range l {
		if _, better := found[id]; !better && !slices.Contains(undecidedIDs.ids, id) {
			found[id] = value
		}
	}
}

// readCached adds what Redis holds to found or unusable, and returns the other ids.
func (c *Cache[V]) readCached(ctx context.Context, ids []string, found map[string]V, unusable *unusableValues[V], undecidedIDs *undecided) []miss {
	var (
		misses     []miss
		unreadable int
		example    error
	)
	for i, r := range c.readValues(ctx, ids) {
		m := miss{id: ids[i]}
		if r.Err != nil {
			undecidedIDs.add(m.id, fmt.Errorf("read cache: %w", r.Err))
			continue
		}
		if r.Exists {
			v, err := c.decode(r.Text)
			if err == nil {
				found[m.id] = v
				continue
			}
			switch {
			case errors.Is(err, ErrUnusable):
				unusable.add(m.id, v)
			case errors.Is(err, ErrEmpty):
				m.unreadable, m.text = true, r.Text
			default:
				m.unreadable, m.text = true, r.Text
				unreadable++
				example = fmt.Errorf("%s: %w", c.keys.Value(m.id), err)
			}
		}
		misses = append(misses, m)
	}
	if unreadable > 0 {
		c.log.Warn("cached values unreadable; they count as absent", "count", unreadable, "example", example)
	}
	return misses
}

// dropMarked drops ids that are marked as unknown to the source, and records texts that are marked
// as wrong.
func (c *Cache[V]) dropMarked(ctx context.Context, misses []miss, undecidedIDs *undecided) []miss {
	ids := make([]string, len(misses))
	for i, m := range misses {
		ids[i] = m.id
	}
	ask := misses[:0]
	for i, r := range c.readKeys(ctx, c.keys.None, ids) {
		m := misses[i]
		switch {
		case r.Err != nil:
			undecidedIDs.add(m.id, fmt.Errorf("read cache: %w", r.Err))
		case r.Exists && r.Text == "":
		default:
			m.wrong = r.Text
			ask = append(ask, m)
		}
	}
	return ask
}

// undecided collects the ids without an answer.
type undecided struct {
	ids   []string
	cause error // the first one; others rarely differ
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

// SourceError names the ids without an answer, because Redis or the source failed. All other ids of
// the lookup have their answer.
type SourceError struct {
	IDs []string
	Err error
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("lookup failed for %d ids: %v", len(e.IDs), e.Err)
}

// Unwrap returns the cause, which may be the caller's own cancellation.
func (e *SourceError) Unwrap() error { return e.Err }

// IsUndecided reports whether a lookup that ended with err left id without an answer. Any error but
// a *SourceError concerns all ids.
func IsUndecided(err error, id string) bool {
	if err == nil {
		return false
	}
	partial, ok := errors.AsType[*SourceError](err)
	return !ok || slices.Contains(partial.IDs, id)
}

func dedupe(ids []string) []string {
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
