package queue

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

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
