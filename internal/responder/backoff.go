package responder

import (
	"context"
	"math/rand/v2"
	"time"
)

// backoff is a wait that doubles from base to limit. Up to half of each is taken off at random, so that workers that
// failed together do not come back together.
type backoff struct {
	base, limit time.Duration
	now         time.Duration
}

func (b *backoff) reset() { b.now = 0 }

func (b *backoff) next() time.Duration {
	b.now = min(max(2*b.now, b.base), b.limit)
	return b.now - rand.N(b.now/2+1)
}

// sleep waits; it is false when ctx ended first.
func sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
