package leasekeeper

import (
	"context"
	"math/rand/v2"
	"time"
)

// WithGrace returns a context that ends a grace after workCtx does, or when it is cancelled. What
// was done in time may then still be written.
func WithGrace(workCtx context.Context, grace time.Duration) (graceCtx context.Context, cancel context.CancelFunc) {
	graceCtx, end := context.WithCancel(context.WithoutCancel(workCtx))
	unwatch := context.AfterFunc(workCtx, func() {
		timer := time.AfterFunc(grace, end)
		context.AfterFunc(graceCtx, func() { timer.Stop() })
	})
	return graceCtx, func() {
		unwatch()
		end()
	}
}

// Backoff is an exponential backoff: a delay that doubles from Base to Limit.
type Backoff struct {
	Base, Limit time.Duration
	failures    int
}

// Delay returns the delay after so many earlier failures in a row.
func (b *Backoff) Delay(failures int) time.Duration {
	delay := b.Base
	for range failures {
		if delay >= b.Limit {
			break
		}
		delay *= 2
	}
	return min(delay, b.Limit)
}

// Next counts a failure and returns the delay after it.
func (b *Backoff) Next() time.Duration {
	delay := b.Delay(b.failures)
	b.failures++
	return delay
}

// Reset makes the next delay the first one again.
func (b *Backoff) Reset() { b.failures = 0 }

// Jitter takes a random part off a wait, at most half of it. What began or failed together then
// does not continue together.
func Jitter(wait time.Duration) time.Duration { return wait - rand.N(wait/2+1) }

// Sleep waits. It returns false if ctx ended first.
func Sleep(ctx context.Context, wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return ctx.Err() == nil
	}
}
