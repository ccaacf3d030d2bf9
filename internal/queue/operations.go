package queue

import (
	"context"
	"errors"
	"time"
)

var errSoon = errors.New("not built yet")

func (q *Queue) Claim(ctx context.Context, claim string, n int) (Lease, error) {
	return Lease{}, errSoon
}
func (q *Queue) Extend(ctx context.Context, claims ...string) (lost []string, err error) {
	return nil, errSoon
}
func (q *Queue) Settle(ctx context.Context, settlements []Settlement) (applied int, err error) {
	return 0, errSoon
}
func (q *Queue) GiveBack(ctx context.Context, claims ...string) (elements int, err error) {
	return 0, errSoon
}
func (q *Queue) Reap(ctx context.Context) (elements int, err error) { return 0, errSoon }
func (q *Queue) Count(ctx context.Context) (Counts, error)          { return Counts{}, errSoon }
func (q *Queue) Append(ctx context.Context, load string, seq int64, elements [][]byte, ttl time.Duration) (accepted bool, err error) {
	return false, errSoon
}
