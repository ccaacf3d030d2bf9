package operator

import (
	"context"
	"fmt"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/redisx"
)

// A load waits for an unreachable or unready Redis, and for nothing else.
func TestALoadWaitsForWhatMayPass(t *testing.T) {
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr(), MaxRetries: -1})
	t.Cleanup(func() { _ = rdb.Close() })
	for reply, want := range map[string]bool{
		"LOADING Redis is loading the dataset in memory":                                  true,
		"READONLY You can't write against a read only replica.":                           true,
		"NOREPLICAS Not enough good replicas to write.":                                   true,
		"BUSY Redis is busy running a script.":                                            true,
		"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to": true,
		"OOM command not allowed when used memory > 'maxmemory'.":                         false,
		"NOPERM User default has no permissions to run the 'evalsha' command":             false,
		"WRONGTYPE Operation against a key holding the wrong kind of value":               false,
		"CROSSSLOT Keys in request don't hash to the same slot":                           false,
	} {
		server.SetError(reply)
		if err := rdb.Ping(t.Context()).Err(); isUnreachable(err) != want {
			t.Errorf("%v: waited for: %v, want %v", err, !want, want)
		}
	}
	for err, want := range map[error]bool{
		io.EOF:                   true,
		redis.ErrPoolTimeout:     true,
		context.DeadlineExceeded: true,
		context.Canceled:         false,
		fmt.Errorf("append: %w", &redisx.TypeError{Key: "k", Holds: "string", Want: "list"}): false,
	} {
		if isUnreachable(err) != want {
			t.Errorf("%v: waited for: %v, want %v", err, !want, want)
		}
	}
}

// The delay between attempts never exceeds two seconds.
func TestRetriesGrowToALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRetry(time.Hour)
		for range 10 {
			equal(t, "again", r.wait(t.Context()), true)
		}
		equal(t, "pause", r.pause, longestPause)
	})
}
