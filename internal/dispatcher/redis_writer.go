package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"fanfare/internal/leasekeeper"
	"fanfare/internal/redisx"
)

// redisTimeout limits one call to a Redis shard. It is a third of a lease, so that a lease can
// still be extended after a call that timed out.
func (o Options) redisTimeout() time.Duration { return o.Lease / 3 }

// isStopping reports whether a stop was requested, which is no error. A deadline that passed is
// one.
func isStopping(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// redisWriter makes the calls to Redis that no other process can make.
type redisWriter struct {
	timeout time.Duration // limits one call
	log     *slog.Logger
}

// call makes one call within the timeout.
func (w redisWriter) call(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	return call(ctx)
}

// persist repeats a write to Redis until it succeeds or keep ends. A write is useful even after its
// lease has expired: if it comes before a reaper, it prevents a second push. Permanent errors are
// returned at once; see redisx.IsPermanent. A denied command is repeated, because the scripts
// finish what a denial cut as soon as it is granted.
func (w redisWriter) persist(keep context.Context, verb string, camp *activeCampaign, write func(context.Context) error) error {
	defer camp.unwritable.Store(false)
	for wait := (leasekeeper.Backoff{Base: 50 * time.Millisecond, Limit: time.Second}); ; leasekeeper.Sleep(keep, wait.Next()) {
		err := w.call(keep, write)
		if err == nil {
			return nil
		}
		if redisx.IsPermanent(err) && !redisx.IsDenied(err) || keep.Err() != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
		camp.unwritable.Store(true)
		if redisx.IsDenied(err) {
			w.log.Error("Redis denies a command; retrying until it is granted", "operation", verb, "campaign", camp.id, "error", err)
			continue
		}
		w.log.Warn("Redis write failed; retrying", "operation", verb, "campaign", camp.id, "error", err)
	}
}
