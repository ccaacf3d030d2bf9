package servers

import (
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// WithinOneHour waits out the turn of the hour by the server's clock, which a test cannot set: what is counted by the hour begins
// anew there.
func WithinOneHour(t testing.TB, rdb redis.Cmdable) {
	t.Helper()
	const (
		behind = 5 * time.Second  // how far the clocks of a test's replicas run ahead of the server's
		ahead  = 20 * time.Second // more than a test takes
	)
	Eventually(t, "the turn of the hour is not near", func() bool {
		now, err := rdb.Time(t.Context()).Result()
		if err != nil {
			t.Fatalf("read the server's clock: %v", err)
		}
		passed := now.Sub(now.Truncate(time.Hour))
		return passed > behind && time.Hour-passed > ahead
	})
}
