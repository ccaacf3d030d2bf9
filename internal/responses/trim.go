package responses

import (
	"context"
	"fmt"

	"fanfare/internal/redisx"
)

// Trim drops the oldest letters beyond the bounds of length and age, counts them as dropped and tells how many.
// It is cheap when there is nothing to drop, and several processes may do it at a time.
//
// It puts back, too, what replays have taken that have died.
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
		old := d.tooOld(oldest)
		var first, last string
		if old > 0 {
			first, last = oldest.letters[0].stored, oldest.letters[old-1].stored
		}
		gone, err := deadTrimScript.Run(ctx, d.rdb, d.keys, d.o.MaxLetters, old, first, last).Int()
		if err != nil {
			return dropped, fmt.Errorf("trim %s: %w", d.keys[0], redisx.Typed(err))
		}
		dropped += gone
		if old < pageLetters {
			return dropped, nil
		}
	}
}

// tooOld tells how many letters at the head may go. One without a time goes with the letters around it.
func (d *DeadLetters) tooOld(oldest page) (n int) {
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
