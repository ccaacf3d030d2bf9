package dispatcher

import (
	"context"
	"errors"
	"sync"
	"time"
)

// brief is how long a shard is waited for that does not answer: so that a lease which depends on it can still be extended.
func (o Options) redisTimeout() time.Duration { return o.Lease / 3 }

// briefly bounds one call to Redis.
func (d *Dispatcher) withRedisTimeout(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.opts.redisTimeout())
	defer cancel()
	return call(ctx)
}

// sideBySide does something for each of many campaigns: a shard that does not answer holds up its own campaigns alone, and the
// caller no longer than the bound.
func forEach[C any](ctx context.Context, bound time.Duration, campaigns []C, do func(context.Context, C)) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	var all sync.WaitGroup
	for _, camp := range campaigns {
		all.Go(func() { do(ctx, camp) })
	}
	all.Wait()
}

// ended tells that a stop was asked for, which is no error; a time that was too short is one.
func isStopping(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }
