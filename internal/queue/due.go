package queue

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/bounds"
	"fanfare/internal/redisx"
)

// CountDue counts the elements of the retry set by the times at which they are due: one count for
// each step from a moment on, whose first includes all that is due before, and one for all later
// elements. It moves nothing.
func (q *Queue) CountDue(ctx context.Context, from time.Time, step time.Duration, steps int) ([]int64, error) {
	pipe := q.rdb.Pipeline()
	low := "-inf"
	counts := make([]*redis.IntCmd, steps+1)
	for i := range counts {
		high := "+inf"
		if i < steps {
			high = "(" + strconv.FormatInt(from.Add(time.Duration(i+1)*step).UnixMilli(), 10)
		}
		counts[i] = pipe.ZCount(ctx, q.retry, low, high)
		low = strings.TrimPrefix(high, "(")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, q.wrap("count retries of", redisx.AsTypeError(err))
	}
	all := make([]int64, len(counts))
	for i, n := range counts {
		all[i] = n.Val()
	}
	return all, nil
}

// samplePieces is how many parts of the retry set a sample has, at even distances.
const samplePieces = 20

// SampleRetries visits at most n of the retries, from all over their set, with the time at which
// each is due. It begins with those that are due first, visits every one if there are no more than
// n, and returns how many there are. It moves nothing.
func (q *Queue) SampleRetries(ctx context.Context, n int64, visit func(raw []byte, due time.Time)) (total int64, err error) {
	if total, err = q.rdb.ZCard(ctx, q.retry).Result(); err != nil {
		return 0, q.wrap("count retries of", redisx.AsTypeError(err))
	}
	pieces, length := int64(1), n
	if total > n {
		pieces, length = samplePieces, max(1, n/samplePieces)
	}
	pipe := q.rdb.Pipeline()
	replies := make([]*redis.ZSliceCmd, pieces)
	for i := range pieces {
		from := int64(0)
		if pieces > 1 {
			from = max(i*length, (total-length)*i/(pieces-1))
		}
		replies[i] = pipe.ZRangeWithScores(ctx, q.retry, from, from+length-1)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return total, q.wrap("sample retries of", redisx.AsTypeError(err))
	}
	for _, reply := range replies {
		for _, z := range reply.Val() {
			value, _ := z.Member.(string)
			var e Element
			visit([]byte(e.decode("", value)), bounds.Milli(int64(z.Score)))
		}
	}
	return total, nil
}

// duePage is how many retries MakeDue reads at one time. Elements may be large.
const duePage = 200

// MakeDue has the selected retries tried again after delay at the latest, and returns how many it
// brought forward. It moves nothing: an element that is claimed meanwhile stays claimed.
func (q *Queue) MakeDue(ctx context.Context, delay time.Duration, selects func(raw []byte) bool) (n int, err error) {
	now, err := q.rdb.Time(ctx).Result()
	if err != nil {
		return 0, q.wrap("ask for the time of", err)
	}
	due := float64(now.Add(delay).UnixMilli())
	// From the latest to the earliest. What is brought forward leaves the end of the set, and what
	// is not selected stays before the next page.
	for kept := int64(0); ; {
		page, err := q.rdb.ZRevRangeWithScores(ctx, q.retry, kept, kept+duePage-1).Result()
		if err != nil {
			return n, q.wrap("read retries of", redisx.AsTypeError(err))
		}
		var chosen []redis.Z
		for _, z := range page {
			value, _ := z.Member.(string)
			var e Element
			if z.Score > due && selects([]byte(e.decode("", value))) {
				chosen = append(chosen, redis.Z{Score: due, Member: value})
			}
		}
		if len(chosen) > 0 {
			if err := q.rdb.ZAddXX(ctx, q.retry, chosen...).Err(); err != nil {
				return n, q.wrap("bring forward retries of", redisx.AsTypeError(err))
			}
			n += len(chosen)
		}
		kept += int64(len(page) - len(chosen))
		if len(page) < duePage || page[len(page)-1].Score <= due {
			return n, nil
		}
	}
}
