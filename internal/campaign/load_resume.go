package campaign

import (
	"context"
	"errors"
	"fmt"
)

// resumption continues an interrupted load. It skips what that load has pushed, and compares
// checksums. Only if they are equal does it take the load over.
type resumption struct {
	l      *Loader
	load   string   // the interrupted one
	until  progress // its progress
	passed progress // how far this load has skipped
	taken  bool
	cut    int // skipped elements of the current batch
}

// pass returns the part of a batch that must be pushed.
func (r *resumption) pass(ctx context.Context, batch [][]byte) ([][]byte, error) {
	for !r.taken {
		rest := batch[r.cut:]
		n := min(int64(len(rest)), r.until.rows-r.passed.rows)
		r.passed = r.passed.plus(rest[:n])
		r.cut += int(n)
		if r.passed.rows < r.until.rows {
			r.cut = 0
			return nil, nil
		}
		if r.passed.total != r.until.total {
			return nil, ErrOtherAudience
		}
		if err := r.take(ctx); err != nil {
			return nil, err
		}
	}
	rest := batch[r.cut:]
	if len(rest) == 0 {
		r.cut = 0
	}
	return rest, nil
}

// take assigns the interrupted load to this loader. If that load has come further meanwhile, more
// must be skipped first.
func (r *resumption) take(ctx context.Context) error {
	l := r.l
	word, further, err := l.c.run(ctx, takeLoadScript, l.keys.inOrder(), r.load, l.load, r.until.text(), loadPatience.Milliseconds())
	switch {
	case err != nil:
		return fmt.Errorf("take over an interrupted load: %w", err)
	case word == "gone":
		return ErrDeleted
	case word == "changed":
		var ok bool
		if r.until, ok = parseProgress(further); !ok || r.until.rows < r.passed.rows {
			return errors.New("take over an interrupted load: its progress cannot be read")
		}
		return nil
	}
	r.taken = true
	l.done = r.until
	if err := l.c.rdb.Unlink(ctx, l.keys.list.Load(r.load)).Err(); err != nil {
		return fmt.Errorf("forget batches: %w", err)
	}
	return nil
}
