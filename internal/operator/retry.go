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

// unreachable tells that Redis could not be asked, or is not ready, so that asking again may help. What it has done with the
// command is not known. One that is full is none of that: to go on asking for more would keep it full.
func unreachable(err error) bool {
	if _, answered := errors.AsType[redis.Error](err); answered {
		return !redisx.Permanent(err) && !redis.IsOOMError(err)
	}
	_, network := errors.AsType[net.Error](err) // a context's deadline among them
	return network || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, redis.ErrPoolTimeout)
}

// retry spaces attempts out until the patience ends.
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

// again waits before the next attempt; false when there is to be none.
func (r *retry) again(ctx context.Context) bool {
	if time.Now().Add(r.pause).After(r.until) {
		return false
	}
	timer := time.NewTimer(r.pause)
	defer timer.Stop()
	r.pause = min(2*r.pause, longestPause)
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
