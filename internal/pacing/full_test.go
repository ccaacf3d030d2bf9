package pacing

import (
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// A Redis that is full and must not evict still paces and, above all, still gates.
func TestFullRedis(t *testing.T) {
	rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(t, "--maxmemory-policy", "noeviction")})
	defer func() { _ = rdb.Close() }()
	must(t, rdb.ConfigSet(t.Context(), "maxmemory", "100kb").Err())
	if err := rdb.Set(t.Context(), "more", "1", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "OOM") {
		t.Fatalf("a plain write into a full Redis: %v, want OOM", err)
	}
	b := &bench{t: t, rdb: rdb, sharedState: newSharedState(server{rdb}, project())}
	wantEqual(t, "leased", b.take(b.ask(1, pace(1000, 0))).n, 1)
	_, err := b.halt(t.Context(), "why", "me")
	must(t, err)
	_, _, err = b.resume(t.Context(), "why")
	must(t, err)
	_, err = b.set(t.Context(), 1, pace(10, 0), true)
	must(t, err)
	_, _, err = b.shut(t.Context(), time.Minute, time.Hour, "429")
	must(t, err)
	wantEqual(t, "verdict", b.take(b.ask(1, pace(1000, 0))).verdict, verdictGate)
}
