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
	s := SampleRetriesOf(ctx, []*Queue{q}, n, func(_ int, raw []byte, due time.Time) { visit(raw, due) })[0]
	return s.Total, s.Err
}

// RetrySample is how many retries a queue has, or why they were not visited.
type RetrySample struct {
	Total int64
	Err   error
}

// SampleRetriesOf is SampleRetries for several queues of one Redis, with n of each, in two round
// trips. visit gets the position of the queue.
func SampleRetriesOf(ctx context.Context, queues []*Queue, n int64, visit func(queue int, raw []byte, due time.Time)) []RetrySample {
	samples := make([]RetrySample, len(queues))
	if len(queues) == 0 {
		return samples
	}
	rdb := queues[0].rdb
	pipe := rdb.Pipeline()
	counts := make([]*redis.IntCmd, len(queues))
	for i, q := range queues {
		counts[i] = pipe.ZCard(ctx, q.retry)
	}
	_, _ = pipe.Exec(ctx) // each command carries its own error
	pipe = rdb.Pipeline()
	replies := make([][]*redis.ZSliceCmd, len(queues))
	for i, q := range queues {
		total, err := counts[i].Result()
		if err != nil {
			samples[i].Err = q.wrap("count retries of", redisx.AsTypeError(err))
			continue
		}
		samples[i].Total = total
		replies[i] = q.queueSample(ctx, pipe, total, n)
	}
	_, _ = pipe.Exec(ctx)
	for i, q := range queues {
		for _, reply := range replies[i] {
			if err := reply.Err(); err != nil {
				samples[i].Err = q.wrap("sample retries of", redisx.AsTypeError(err))
			}
			for _, z := range reply.Val() {
				value, _ := z.Member.(string)
				var e Element
				visit(i, []byte(e.decode("", value)), bounds.Milli(int64(z.Score)))
			}
		}
	}
	return samples
}

// queueSample reads at most n of total retries, in one piece or in several.
func (q *Queue) queueSample(ctx context.Context, pipe redis.Pipeliner, total, n int64) []*redis.ZSliceCmd {
	pieces, length := int64(1), n
	if total > n {
		pieces, length = samplePieces, max(1, n/samplePieces)
	}
	replies := make([]*redis.ZSliceCmd, pieces)
	for i := range pieces {
		from := int64(0)
		if pieces > 1 {
			from = max(i*length, (total-length)*i/(pieces-1))
		}
		replies[i] = pipe.ZRangeWithScores(ctx, q.retry, from, from+length-1)
	}
	return replies
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
