package responses

import (
	"context"
	"fmt"
	"slices"
)

const (
	allCopies = 0
	oneCopy   = 1
)

// Remove removes letters that List or Get gave, with all their copies, and tells how many entries went. To replay,
// push first and remove then: being cut off in between repeats, and loses nothing.
func (d *DeadLetters) Remove(ctx context.Context, letters ...DeadLetter) (removed int, err error) {
	return d.remove(ctx, allCopies, letters)
}

// Purge removes the letters that match, the oldest first, and tells how many. Repeating it is harmless.
func (d *DeadLetters) Purge(ctx context.Context, f Filter) (removed int, err error) {
	var at position
	for {
		p, err := d.read(ctx, &at, false, pageLetters)
		if err != nil || len(p.letters) == 0 {
			return removed, err
		}
		// One copy is found near the head, where the page is; the others are on a page of their own.
		n, err := d.remove(ctx, oneCopy, slices.DeleteFunc(p.letters, func(l DeadLetter) bool { return !f.Match(&l) }))
		removed += n
		if err != nil {
			return removed, err
		}
	}
}

func (d *DeadLetters) remove(ctx context.Context, copies int, letters []DeadLetter) (removed int, err error) {
	for some := range slices.Chunk(letters, removeLetters) {
		args := append(make([]any, 0, 1+len(some)), copies)
		for i := range some {
			args = append(args, some[i].stored)
		}
		n, err := deadRemoveScript.Run(ctx, d.rdb, d.keys, args...).Int()
		removed += n
		if err != nil {
			return removed, fmt.Errorf("remove from %s: %w", d.keys[0], err)
		}
	}
	return removed, nil
}
