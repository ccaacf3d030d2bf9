package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"fanfare/internal/redisx"
)

// redisTimeout limits one call to a Redis shard. It is a third of a lease, so that a lease can
// still be extended after a call that timed out.
func (o Options) redisTimeout() time.Duration { return o.Lease / 3 }

// withRedisTimeout limits one call to Redis.
func (d *Dispatcher) withRedisTimeout(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, d.opts.redisTimeout())
	defer cancel()
	return call(ctx)
}

// forEach calls do for all campaigns concurrently, and returns when all calls have returned. A
// shard that does not answer delays only its own campaigns, and the caller by at most bound.
func forEach[C any](ctx context.Context, bound time.Duration, campaigns []C, do func(context.Context, C)) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	var all sync.WaitGroup
	for _, camp := range campaigns {
		all.Go(func() { do(ctx, camp) })
	}
	all.Wait()
}

// isStopping reports whether a stop was requested, which is no error. A deadline that passed is
// one.
func isStopping(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// persist repeats a write to Redis until it succeeds or keep ends. A write is useful even after its
// lease has expired: if it comes before a reaper, it prevents a second push. Permanent errors are
// returned at once; see redisx.IsPermanent. A denied command is repeated, because the scripts
// finish what a denial cut as soon as it is granted.
func (d *Dispatcher) persist(keep context.Context, verb string, camp *activeCampaign, write func(context.Context) error) error {
	defer camp.unwritable.Store(false)
	told := rate.Sometimes{First: 1, Interval: 10 * time.Second}
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		err := d.withRedisTimeout(keep, write)
		if err == nil {
			return nil
		}
		if redisx.IsPermanent(err) && !redisx.IsDenied(err) || keep.Err() != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
		camp.unwritable.Store(true)
		told.Do(func() {
			if redisx.IsDenied(err) {
				d.log.Error("Redis denies a command; retrying until it is granted", "operation", verb, "campaign", camp.id, "error", err)
				return
			}
			d.log.Warn("Redis write failed; retrying", "operation", verb, "campaign", camp.id, "error", err)
		})
		select {
		case <-keep.Done():
		case <-time.After(wait):
		}
	}
}

// isBehind reports whether outcomes of a campaign cannot be written, or two batches of them wait.
// Such a campaign is not claimed from: otherwise more and more pushes would have no written
// outcome.
func (d *Dispatcher) isBehind(camp *activeCampaign) bool {
	return camp.unwritable.Load() || camp.unwritten.Load() >= int64(2*d.opts.AckBatch)
}

// withGrace returns a context that ends a grace period after work does, or when it is stopped.
func withGrace(work context.Context, grace time.Duration) (keep context.Context, stop func()) {
	keep, cancel := context.WithCancel(context.WithoutCancel(work))
	release := context.AfterFunc(work, func() {
		select {
		case <-keep.Done():
		case <-time.After(grace):
			cancel()
		}
	})
	return keep, func() { release(); cancel() }
}
