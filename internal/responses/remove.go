package responses

import (
	"context"
	"fmt"
	"slices"

	"fanfare/internal/redisx"
)

// Remove removes letters that List or Get gave, and tells how many. Copies are letters of their own. To replay, Take them.
// Repeating is harmless; as with queue.Settle, a low count alone proves no loss.
func (d *DeadLetters) Remove(ctx context.Context, letters ...DeadLetter) (removed int, err error) {
	for some := range slices.Chunk(letters, pageLetters) {
		args := make([]any, 0, 3*len(some))
		for i := range some {
			args = append(args, some[i].stored, some[i].position, some[i].removed)
		}
		n, err := deadRemoveScript.Run(ctx, d.rdb, d.keys, args...).Int()
		removed += n
		if err != nil {
			return removed, fmt.Errorf("remove from %s: %w", d.keys[0], redisx.Typed(err))
		}
	}
	return removed, nil
}

// Purge removes the letters that match, the oldest first, and tells how many. Repeating it is harmless.
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
		n, err := d.Remove(ctx, slices.DeleteFunc(p.letters, func(l DeadLetter) bool { return l.gone || !f.Match(&l) })...)
		removed += n
		if err != nil {
			return removed, err
		}
	}
}
