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
	// loadMemory is how long after its last batch a load's batches are still recognised.
	loadMemory = 24 * time.Hour
)

// Batch is a part of a load.
type Batch struct {
	Load     string // the caller makes it up
	Number   int64  // of this batch in its load, from 0
	Elements [][]byte
	TTL      time.Duration // the deadline of the list, from now, unless its producer sets another; 0 leaves it alone
	// Mark is a field that the hash of counts has for as long as the batch is wanted; "" for none. It is looked at in the
	// script that pushes, so that no batch can come after the mark is gone.
	Mark string
	// Note is a field of the hash of counts, and Text what it holds from this batch on; "" for none.
	Note, Text string
}

// ErrUnmarked says that Append found no mark, and pushed nothing.
var ErrUnmarked = errors.New("books do not have the mark of the load")

// Append pushes a batch to the end of the list, so that repeating it is harmless: accepted is false when this batch is
// already there. A full Redis refuses, with nothing pushed.
func (q *Queue) Append(ctx context.Context, b Batch) (accepted bool, err error) {
	if b.Load == "" || b.Number < 0 || b.Number > maxNumber || len(b.Elements) == 0 || b.TTL < 0 {
		return false, q.wrap("append to",
			fmt.Errorf("load %q, batch %d of 0 to %d, %d elements, expiry %s", b.Load, b.Number, maxNumber, len(b.Elements), b.TTL))
	}
	args := make([]any, 0, 8+len(b.Elements))
	args = append(args, b.Load, b.Number, b.TTL.Milliseconds(), loadMemory.Milliseconds(), b.Mark, q.o.Linger.Milliseconds(), b.Note, b.Text)
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
