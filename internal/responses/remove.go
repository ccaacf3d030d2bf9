package responses

import (
	"context"
	"fmt"
	"slices"

	"fanfare/internal/redisx"
)

// Remove removes letters that List or Get returned, and returns how many. Copies are letters of
// their own. To replay letters, Take them. Repeating is harmless. As with queue.Settle, a low count
// does not prove a loss.
func (d *DeadLetters) Remove(ctx context.Context, letters ...DeadLetter) (removed int, err error) {
	for some := range slices.Chunk(letters, pageLetters) {
		args := make([]any, 0, 3*len(some))
		for i := range some {
			args = append(args, some[i].stored, some[i].position, some[i].removed)
		}
		n, err := deadRemoveScript.Run(ctx, d.rdb, d.keys, args...).Int()
		removed += n
		if err != nil {
			return removed, fmt.Errorf("remove from %s: %w", d.keys[0], redisx.AsTypeError(err))
		}
	}
	return removed, nil
}

// Purge removes the letters that match, the oldest first, and returns how many. Repeating it is
// harmless.
func (d *DeadLetters) Purge(ctx context.Context, f Filter) (removed int, err error) {
	if err := d.recoverBatches(ctx); err != nil {
		return 0, err
	}
	var at position
	for {
		p, err := d.read(ctx, &at, false, pageLetters)
		if err != nil || len(p.letters) == 0 {
			return removed, err
		}
		n, err := d.Remove(ctx, slices.DeleteFunc(p.letters, func(l DeadLetter) bool { return l.isGap || !f.Matches(&l) })...)
		removed += n
		if err != nil {
			return removed, err
		}
	}
}

// Trim drops the oldest letters beyond the limits of number and age. It counts them as dropped and
// returns how many. It is cheap when there is nothing to drop, and several processes may call it at
// a time.
//
// It also puts back the letters that a dead replay had taken.
func (d *DeadLetters) Trim(ctx context.Context) (dropped int, err error) {
	if err := d.recoverBatches(ctx); err != nil {
		return 0, err
	}
	for {
		var head position
		oldest, err := d.read(ctx, &head, false, pageLetters)
		if err != nil {
			return dropped, err
		}
		old := d.countTooOld(oldest)
		var first, last string
		if old > 0 {
			first, last = oldest.letters[0].stored, oldest.letters[old-1].stored
		}
		gone, err := deadTrimScript.Run(ctx, d.rdb, d.keys, d.o.MaxLetters, old, first, last).Int()
		if err != nil {
			return dropped, fmt.Errorf("trim %s: %w", d.keys[0], redisx.AsTypeError(err))
		}
		dropped += gone
		if old < pageLetters {
			return dropped, nil
		}
	}
}

// countTooOld returns how many letters at the head are too old. A letter without a time goes with
// those around it.
func (d *DeadLetters) countTooOld(oldest page) (n int) {
	limit := oldest.now.Add(-d.o.MaxAge)
	for i, l := range oldest.letters {
		if l.At.IsZero() {
			continue
		}
		if !l.At.Before(limit) {
			break
		}
		n = i + 1
	}
	return n
}
