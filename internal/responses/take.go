package responses

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/keys"
	"fanfare/internal/queue"
	"fanfare/internal/redisx"
)

const (
	suffixBatches = keys.SuffixDead + ":batches" // sorted set: taken batches, by the end of their lease in ms
	suffixBatch   = keys.SuffixDead + ":batch:"  // list of a batch: its destination, then its letters
	suffixRecent  = keys.SuffixDead + ":lately"  // set: hashes of recently taken letters

	// takeLeaseTTL is how long a batch may take to be replayed.
	takeLeaseTTL = time.Minute
	// undoTimeout limits the undoing of a failed take.
	undoTimeout = 5 * time.Second
	// recentTTL is how long copies of a letter are recognised after it was taken.
	recentTTL = time.Hour
)

// Batch is some letters that one replay has taken out of the list. It ends with MarkReplayed,
// PutBack or Resolve. If none is called, the end of its lease resolves it.
type Batch struct {
	// ID must name the load that replays the letters. That load shows whether they were replayed,
	// even if the replay dies.
	ID      string
	Letters []DeadLetter
	// Until is when the replay must end, by the local monotonic clock.
	Until time.Time

	destination string
}

// Take takes letters to replay them into a campaign's list, or into the list of responses if
// destination is "". Of all callers that want a letter, one gets it. Letters that others took or
// removed are left out. Copies of recently taken letters are left out and removed.
func (d *DeadLetters) Take(ctx context.Context, destination string, letters ...DeadLetter) (Batch, error) {
	b := Batch{ID: queue.NewID(), Until: time.Now().Add(takeLeaseTTL / 2), destination: destination}
	keys := []string{d.keys[0], d.keys[1], d.list.Key(suffixBatches), d.list.Key(suffixRecent), d.list.Key(suffixBatch + b.ID)}
	args := append(make([]any, 0, 4+3*len(letters)), b.ID, destination, takeLeaseTTL.Milliseconds(), recentTTL.Milliseconds())
	for i := range letters {
		args = append(args, letters[i].stored, letters[i].position, letters[i].removed)
	}
	taken, err := deadTakeScript.Run(ctx, d.rdb, keys, args...).Int64Slice()
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer cancel()
		_ = d.PutBack(ctx, b) // it may have taken letters; if this fails, the lease ends
		return Batch{}, fmt.Errorf("take from %s: %w", d.keys[0], redisx.AsTypeError(err))
	}
	for _, i := range taken {
		if i < 1 || int(i) > len(letters) {
			return Batch{}, redisx.ErrReply
		}
		b.Letters = append(b.Letters, letters[i-1])
	}
	return b, nil
}

// MarkReplayed ends a batch whose letters were pushed. Repeating it is harmless.
func (d *DeadLetters) MarkReplayed(ctx context.Context, b Batch) error {
	return d.release(ctx, b.ID, "replayed", "")
}

// PutBack ends a batch that was not replayed. Its letters return to the end of the list.
func (d *DeadLetters) PutBack(ctx context.Context, b Batch) error {
	return d.release(ctx, b.ID, "back", "")
}

// Resolve ends a batch when it is not known whether its letters were pushed. It puts them back if
// they were not.
func (d *DeadLetters) Resolve(ctx context.Context, b Batch) error {
	return d.endBatch(ctx, b.ID, b.destination, "")
}

// recoverBatches resolves the batches of replays that have died.
func (d *DeadLetters) recoverBatches(ctx context.Context) error {
	keys := []string{d.list.Key(suffixBatches)}
	found, err := deadExpiredScript.Run(ctx, d.rdb, keys, d.list.Key(suffixBatch)).StringSlice()
	if err != nil {
		return fmt.Errorf("look for batches of dead letters: %w", redisx.AsTypeError(err))
	}
	for i := 0; i+1 < len(found); i += 2 {
		if err := d.endBatch(ctx, found[i], found[i+1], "expired"); err != nil {
			return err
		}
	}
	return nil
}

// endBatch ends a batch as replayed if the load of its name exists, and puts it back otherwise.
func (d *DeadLetters) endBatch(ctx context.Context, batch, destination, which string) error {
	list := d.list
	if destination != "" {
		var err error
		if list, err = d.names.Campaign(destination); err != nil {
			list = d.list // no load can have reached a list with a bad name
		}
	}
	pushed, err := d.rdb.Exists(ctx, list.Load(batch)).Result()
	if err != nil {
		return fmt.Errorf("look for replayed letters: %w", err)
	}
	if pushed > 0 {
		return d.release(ctx, batch, "replayed", which)
	}
	return d.release(ctx, batch, "back", which)
}

func (d *DeadLetters) release(ctx context.Context, batch, how, which string) error {
	keys := []string{d.keys[0], d.list.Key(suffixBatches), d.list.Key(suffixRecent), d.list.Key(suffixBatch + batch)}
	if err := deadReleaseScript.Run(ctx, d.rdb, keys, batch, how, which).Err(); err != nil {
		return fmt.Errorf("end a batch of dead letters: %w", redisx.AsTypeError(err))
	}
	return nil
}
