package queue

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// maxNumber bounds a load's bitmap to 2 MiB.
	maxNumber = 1<<24 - 1
	// loadTTL is how long after its last batch a load's batches are still recognised.
	loadTTL = 24 * time.Hour
)

// Batch is a part of a load.
type Batch struct {
	Load     string // the caller makes it up
	Number   int64  // of this batch in its load, from 0
	Elements [][]byte
	// TTL sets the deadline of the list, from now. 0 leaves it alone.
	TTL time.Duration
	// Mark is a field of the counts hash that must exist, or "" for none. The script that pushes
	// checks it, so no batch can arrive after the mark is gone.
	Mark string
	// Note is a field of the counts hash to set, or "" for none. Text is its value from this batch
	// on.
	Note, Text string
}

// ErrUnmarked says that Append found no mark and pushed nothing.
var ErrUnmarked = errors.New("load has no mark in the counts")

// Append pushes a batch to the end of the list. Repeating it is harmless: accepted is false when
// this batch is already there. A full Redis refuses the batch and pushes nothing.
func (q *Queue) Append(ctx context.Context, b Batch) (accepted bool, err error) {
	if b.Load == "" || b.Number < 0 || b.Number > maxNumber || len(b.Elements) == 0 || b.TTL < 0 {
		return false, q.wrap("append to",
			fmt.Errorf("invalid batch: load %q, number %d (0 to %d), %d elements, TTL %s", b.Load, b.Number, maxNumber, len(b.Elements), b.TTL))
	}
	args := make([]any, 0, 8+len(b.Elements))
	args = append(args, b.Load, b.Number, b.TTL.Milliseconds(), loadTTL.Milliseconds(), b.Mark, q.o.Linger.Milliseconds(), b.Note, b.Text)
	for _, element := range b.Elements {
		args = append(args, element)
	}
	keys := []string{q.list.Plain(), q.counts, q.list.Load(b.Load)}
	word, err := q.run(ctx, appendScript, keys, args...).Text()
	if word == "unmarked" {
		err = ErrUnmarked
	}
	return word == "appended", q.wrap("append to", err)
}
