package queue

import (
	"context"
	"fmt"
	"time"
)

const (
	// maxSeq bounds a load's bitmap to 2 MiB.
	maxSeq = 1<<24 - 1
	// loadMemory is how long after its last batch a load's batches are still recognised.
	loadMemory = 24 * time.Hour
)

// Append pushes elements to the end of the list, once for each number seq of a load, so that repeating it is harmless:
// accepted is false when this batch is already there. The caller makes up the load's id and numbers its batches from 0.
// The list then expires after ttl; 0 leaves its expiry alone. A full Redis refuses, with nothing pushed.
func (q *Queue) Append(
	ctx context.Context, load string, seq int64, elements [][]byte, ttl time.Duration,
) (accepted bool, err error) {
	if load == "" || seq < 0 || seq > maxSeq || len(elements) == 0 || ttl < 0 {
		return false, q.wrap("append to",
			fmt.Errorf("load %q, batch %d of 0 to %d, %d elements, expiry %s", load, seq, maxSeq, len(elements), ttl))
	}
	args := append(make([]any, 0, 3+len(elements)), seq, ttl.Milliseconds(), loadMemory.Milliseconds())
	for _, element := range elements {
		args = append(args, element)
	}
	keys := []string{q.list.plain, q.counts, q.list.Load(load)}
	n, err := q.run(ctx, appendScript, keys, args...).Int()
	return n == 1, q.wrap("append to", err)
}
