package responses

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"time"
)

// List yields the letters that match, page by page: the list is never in memory as a whole. It passes over no letter,
// whatever is trimmed, removed or added meanwhile, but may show one again while others are removed. Letters that were
// written after it began are left out, so that replaying what fails again comes to an end. An error ends it.
func (d *DeadLetters) List(ctx context.Context, f Filter) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		if err := d.recoverBatches(ctx); err != nil {
			yield(DeadLetter{}, err)
			return
		}
		at := start(f.Newest)
		var began time.Time // server's clock
		for {
			p, err := d.read(ctx, &at, f.Newest, pageLetters)
			if err != nil {
				yield(DeadLetter{}, err)
				return
			}
			if len(p.letters) == 0 {
				return
			}
			if began.IsZero() {
				began = p.now
			}
			for i := range p.letters {
				l := &p.letters[i]
				if !l.gone && !l.At.After(began) && f.Match(l) && !yield(*l, nil) {
					return
				}
			}
		}
	}
}

// Get finds the newest letter with an id; ErrNoDeadLetter when there is none.
func (d *DeadLetters) Get(ctx context.Context, id string) (DeadLetter, error) {
	for l, err := range d.List(ctx, Filter{Newest: true}) {
		if err != nil || l.ID == id {
			return l, err
		}
	}
	return DeadLetter{}, fmt.Errorf("dead letter %q: %w", id, ErrNoDeadLetter)
}

// DeadCounts tells how many letters there are.
type DeadCounts struct {
	Total   int64            // letters that match
	Codes   map[string]int64 // of them, by DeadLetter.Code
	Kinds   map[Kind]int64
	Dropped int64 // letters that Trim ever dropped, whatever they were
	Removed int64 // letters that were ever replayed or purged
}

// Count counts the letters that match by reading all pages.
func (d *DeadLetters) Count(ctx context.Context, f Filter) (DeadCounts, error) {
	c := DeadCounts{Codes: map[string]int64{}, Kinds: map[Kind]int64{}}
	for l, err := range d.List(ctx, f) {
		if err != nil {
			return DeadCounts{}, err
		}
		c.Total++
		c.Codes[l.Code()]++
		c.Kinds[l.Kind]++
	}
	ever, err := d.rdb.HGetAll(ctx, d.keys[1]).Result()
	if err != nil {
		return DeadCounts{}, fmt.Errorf("read %s: %w", d.keys[1], err)
	}
	c.Dropped, _ = strconv.ParseInt(ever["dropped"], 10, 64)
	c.Removed, _ = strconv.ParseInt(ever["removed"], 10, 64)
	return c, nil
}

// Len is the number of all letters.
func (d *DeadLetters) Len(ctx context.Context) (int64, error) {
	n, err := d.rdb.LLen(ctx, d.keys[0]).Result()
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", d.keys[0], err)
	}
	return n, nil
}
