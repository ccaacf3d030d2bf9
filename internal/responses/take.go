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
	suffixBatches = keys.SuffixDead + ":batches" // sorted set: batches that replays have taken, by the end of their lease in ms
	suffixBatch   = keys.SuffixDead + ":batch:"  // list of a batch: where it goes, then its letters
	suffixLately  = keys.SuffixDead + ":lately"  // set: the letters that were taken lately, by their hash

	// takeLease is how long a batch may take to be replayed.
	takeLease = time.Minute
	// undoTimeout is how long a take that failed is tried to be undone.
	undoTimeout = 5 * time.Second
	// takeMemory is how long copies of a letter are recognised after it was taken.
	takeMemory = time.Hour
)

// Batch is some letters that one replay has taken out of the list. It ends with Replayed, PutBack or Resolve,
// or else with its lease: then as by Resolve.
type Batch struct {
	// ID is to name the load that replays the letters. By it they are known to be replayed, whatever becomes of the replay.
	ID      string
	Letters []DeadLetter
	// Until is when the replay must have ended: local and monotonic.
	Until time.Time

	destination string
}

// Take takes letters for a replay into one campaign's list, or into the list of responses where that is "". Of all that ask for a
// letter, one gets it. What others took or removed is left out, and so are copies of letters that were taken lately: these go.
func (d *DeadLetters) Take(ctx context.Context, destination string, letters ...DeadLetter) (Batch, error) {
	b := Batch{ID: queue.NewClaimID(), Until: time.Now().Add(takeLease / 2), destination: destination}
	keys := []string{d.keys[0], d.keys[1], d.list.Key(suffixBatches), d.list.Key(suffixLately), d.list.Key(suffixBatch + b.ID)}
	args := append(make([]any, 0, 4+3*len(letters)), b.ID, destination, takeLease.Milliseconds(), takeMemory.Milliseconds())
	for i := range letters {
		args = append(args, letters[i].stored, letters[i].position, letters[i].removed)
	}
	taken, err := deadTakeScript.Run(ctx, d.rdb, keys, args...).Int64Slice()
	if err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoTimeout)
		defer cancel()
		_ = d.PutBack(ctx, b) // what it may have taken; where this fails too, its lease ends
		return Batch{}, fmt.Errorf("take from %s: %w", d.keys[0], redisx.Typed(err))
	}
	for _, i := range taken {
		if i < 1 || int(i) > len(letters) {
			return Batch{}, redisx.ErrReply
		}
		b.Letters = append(b.Letters, letters[i-1])
	}
	return b, nil
}

// Replayed ends a batch whose letters were pushed. Repeating it is harmless.
func (d *DeadLetters) Replayed(ctx context.Context, b Batch) error {
	return d.release(ctx, b.ID, "replayed", "")
}

// PutBack ends a batch whose letters are to stay: they are at the end of the list again.
func (d *DeadLetters) PutBack(ctx context.Context, b Batch) error {
	return d.release(ctx, b.ID, "back", "")
}

// Resolve ends a batch of which it is not known whether its letters were pushed: they are put back if they were not.
func (d *DeadLetters) Resolve(ctx context.Context, b Batch) error {
	return d.end(ctx, b.ID, b.destination, "")
}

// recoverBatches puts back what replays have taken that have died.
func (d *DeadLetters) recoverBatches(ctx context.Context) error {
	keys := []string{d.list.Key(suffixBatches)}
	found, err := deadExpiredScript.Run(ctx, d.rdb, keys, d.list.Key(suffixBatch)).StringSlice()
	if err != nil {
		return fmt.Errorf("look for batches of dead letters: %w", redisx.Typed(err))
	}
	for i := 0; i+1 < len(found); i += 2 {
		if err := d.end(ctx, found[i], found[i+1], "expired"); err != nil {
			return err
		}
	}
	return nil
}

// end ends a batch by what the load of its name has come to.
func (d *DeadLetters) end(ctx context.Context, batch, destination, which string) error {
	list := d.list
	if destination != "" {
		var err error
		if list, err = d.names.Campaign(destination); err != nil {
			list = d.list // no list that could have been pushed to
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
	keys := []string{d.keys[0], d.list.Key(suffixBatches), d.list.Key(suffixLately), d.list.Key(suffixBatch + batch)}
	if err := deadReleaseScript.Run(ctx, d.rdb, keys, batch, how, which).Err(); err != nil {
		return fmt.Errorf("end a batch of dead letters: %w", redisx.Typed(err))
	}
	return nil
}
