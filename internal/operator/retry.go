package operator

import (
	"context"
	"errors"
	"io"
	"net"
	"time"

	"fanfare/internal/redisx"

	"github.com/redis/go-redis/v9"
)

// isUnreachable reports whether Redis could not be reached or is not ready, so that a retry may
// help. The command may or may not have run. A full Redis does not count: repeated writes would
// keep it full.
func isUnreachable(err error) bool {
	if _, answered := errors.AsType[redis.Error](err); answered {
		return !redisx.IsPermanent(err) && !redis.IsOOMError(err)
	}
	_, network := errors.AsType[net.Error](err) // includes the deadline of a context
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, redis.ErrPoolTimeout)
}

// retry spaces attempts with growing delays until the patience ends.
type retry struct {
	until time.Time
	pause time.Duration
}

const (
	firstPause   = 100 * time.Millisecond
	longestPause = 2 * time.Second
)

func newRetry(patience time.Duration) *retry {
	return &retry{until: time.Now().Add(patience), pause: firstPause}
}

// wait waits before the next attempt. It returns false if there must be none.
func (r *retry) wait(ctx context.Context) bool {
	if time.Now().Add(r.pause).After(r.until) {
		return false
	}
	d := r.pause
	r.pause = min(2*r.pause, longestPause)
	return pause(ctx, d) == nil
}

// pause waits, or returns why the context ended.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// patiently repeats a call while what is asked cannot be reached.
func patiently(ctx context.Context, patience time.Duration, ask func() error) error {
	wait := newRetry(patience)
	for {
		err := ask()
		if err == nil || !isUnreachable(err) || !wait.wait(ctx) {
			return err
		}
	}
}
