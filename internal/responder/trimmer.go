package responder

import (
	"context"
	"time"
)

// trimmer keeps the dead letters within their bounds of length and age.
type trimmer struct{ r *Responder }

func (t trimmer) run(ctx context.Context) {
	tick := time.NewTicker(t.r.opts.Trim)
	defer tick.Stop()
	for {
		t.trim(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// trim is one tick.
func (t trimmer) trim(ctx context.Context) {
	n, err := t.r.deps.DeadLetters.Trim(ctx)
	if err != nil && ctx.Err() == nil {
		t.r.log.Warn("trim dead letters: trying again", "error", err)
	}
	if n > 0 {
		t.r.metrics.dropped.Add(float64(n))
		t.r.log.Warn("dropped the oldest dead letters, which were over their bound", "letters", n)
	}
}
