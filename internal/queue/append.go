package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
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
	return q.AppendWith(ctx, b, nil)
}

// AppendWith is Append with more commands in its round trip: also adds them behind the batch. They
// run even if the batch is refused. If they have not run, their error is that of the transaction.
func (q *Queue) AppendWith(ctx context.Context, b Batch, also func(redis.Pipeliner)) (accepted bool, err error) {
	if b.Load == "" || b.Number < 0 || b.Number > maxNumber || len(b.Elements) == 0 || b.TTL < 0 {
		return false, q.wrap("append to",
			fmt.Errorf("invalid batch: load %q, number %d (0 to %d), %d elements, TTL %s", b.Load, b.Number, maxNumber, len(b.Elements), b.TTL))
	}
	word, err := q.pushAndCount(ctx, &b, also)
	if word == "begun" || err != nil && !isReply(err) {
		word, err = q.run(ctx, appendScript, q.batchKeys(&b), q.batchArgs(&b, b.Elements)...).Text()
	}
	if word == "unmarked" {
		err = ErrUnmarked
	}
	return word == "appended", q.wrap("append to", err)
}

// pushAndCount pushes the elements with RPUSH, and counts them with a script in the same
// transaction. A script that pushed them itself would take twice the time: Lua copies and hashes
// every argument.
//
// go-redis does not repeat a transaction whose reply was lost, and Redis discards one if it is full
// or a command is not permitted. The word is "begun" if an earlier call about this batch was cut.
// The script with the elements is for all of them.
func (q *Queue) pushAndCount(ctx context.Context, b *Batch, also func(redis.Pipeliner)) (word string, err error) {
	tx := q.rdb.TxPipeline()
	push := make([]any, 0, 2+len(b.Elements))
	push = append(push, "rpush", q.list.Plain())
	for i := range b.Elements {
		push = append(push, b.Elements[i])
	}
	tx.Do(ctx, push...)
	// The script goes as a text: without it, nothing would take the batch back.
	counted := pushedScript.Eval(ctx, tx, q.batchKeys(b), q.batchArgs(b, b.Elements[len(b.Elements)-1:])...)
	if also != nil {
		also(tx)
	}
	if _, err := tx.Exec(ctx); err != nil && !isReply(err) {
		return "", err
	}
	if word, err = counted.Text(); err != nil {
		return "", redisx.AsTypeError(err)
	}
	return word, nil
}

// isReply reports whether an error is the reply to a command of the transaction. If MULTI itself is
// denied, Redis has run the commands one by one, and the script finds the batch counted.
func isReply(err error) bool {
	_, is := errors.AsType[redis.Error](err)
	return is && !redis.HasErrorPrefix(err, "EXECABORT") && !strings.Contains(err.Error(), "'multi' command")
}

func (q *Queue) batchKeys(b *Batch) []string {
	return []string{q.list.Plain(), q.counts, q.list.Load(b.Load)}
}

// batchArgs lays out ARGV as append_prelude.lua describes it, and then elements.
func (q *Queue) batchArgs(b *Batch, elements [][]byte) []any {
	args := append(make([]any, 0, 9+len(elements)), b.Load, b.Number, b.TTL.Milliseconds(), loadTTL.Milliseconds(), b.Mark,
		q.o.Linger.Milliseconds(), b.Note, b.Text, len(b.Elements))
	for _, element := range elements {
		args = append(args, element)
	}
	return args
}
