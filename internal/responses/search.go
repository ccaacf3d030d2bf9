package responses

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"
)

// Filter selects dead letters. A zero field selects all.
type Filter struct {
	Campaign string
	User     string
	Code     string // see DeadLetter.Code
	Kind     Kind
	Reason   string    // a part of the reason, case-insensitive
	Since    time.Time // At or later
	Until    time.Time // before

	// Newest lists the newest letters first; otherwise the oldest come first.
	Newest bool
}

// Matches reports whether the filter selects a letter.
func (f *Filter) Matches(l *DeadLetter) bool {
	return (f.Campaign == "" || f.Campaign == l.Result.CampaignID) &&
		(f.User == "" || f.User == l.Result.UserID) &&
		(f.Code == "" || f.Code == l.Code()) &&
		(f.Kind == "" || f.Kind == l.Kind) &&
		(f.Since.IsZero() || !l.At.Before(f.Since)) &&
		(f.Until.IsZero() || l.At.Before(f.Until)) &&
		(f.Reason == "" || strings.Contains(strings.ToLower(l.Reason), strings.ToLower(f.Reason)))
}

// List yields the letters that match, page by page, so the whole list is never in memory. It skips
// no letter, whatever is trimmed, removed or added meanwhile. It may yield a letter twice while
// others are removed. It leaves out letters that were written after it began, so a replay that
// fails again comes to an end. An error ends it.
func (d *DeadLetters) List(ctx context.Context, f Filter) iter.Seq2[DeadLetter, error] {
	return func(yield func(DeadLetter, error) bool) {
		if err := d.recoverBatches(ctx); err != nil {
			yield(DeadLetter{}, err)
			return
		}
		at := startPosition(f.Newest)
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
				if !l.isGap && !l.At.After(began) && f.Matches(l) && !yield(*l, nil) {
					return
				}
			}
		}
	}
}

// Get returns the newest letter with an id, or ErrNoDeadLetter if there is none.
func (d *DeadLetters) Get(ctx context.Context, id string) (DeadLetter, error) {
	for l, err := range d.List(ctx, Filter{Newest: true}) {
		if err != nil || l.ID == id {
			return l, err
		}
	}
	return DeadLetter{}, fmt.Errorf("dead letter %q: %w", id, ErrNoDeadLetter)
}

// DeadCounts are counts of dead letters.
type DeadCounts struct {
	Total   int64            // letters that match
	Codes   map[string]int64 // by DeadLetter.Code
	Kinds   map[Kind]int64
	Dropped int64 // all letters that Trim has dropped
	Removed int64 // all letters that were replayed or purged
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
	var err error
	if c.Dropped, c.Removed, err = d.readEver(ctx); err != nil {
		return DeadCounts{}, err
	}
	return c, nil
}

// Dropped returns how many letters Trim has ever dropped.
func (d *DeadLetters) Dropped(ctx context.Context) (int64, error) {
	dropped, _, err := d.readEver(ctx)
	return dropped, err
}

func (d *DeadLetters) readEver(ctx context.Context) (dropped, removed int64, err error) {
	ever, err := d.rdb.HGetAll(ctx, d.keys[1]).Result()
	if err != nil {
		return 0, 0, fmt.Errorf("read %s: %w", d.keys[1], err)
	}
	dropped, _ = strconv.ParseInt(ever["dropped"], 10, 64)
	removed, _ = strconv.ParseInt(ever["removed"], 10, 64)
	return dropped, removed, nil
}

// Len returns the number of all letters.
func (d *DeadLetters) Len(ctx context.Context) (int64, error) {
	n, err := d.rdb.LLen(ctx, d.keys[0]).Result()
	if err != nil {
		return 0, fmt.Errorf("read %s: %w", d.keys[0], err)
	}
	return n, nil
}
