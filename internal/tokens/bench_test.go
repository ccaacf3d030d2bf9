package tokens_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/tokens"
	"fanfare/test/servers"
)

// BenchmarkLookup looks up claims of 500 users that have a token and some devices.
func BenchmarkLookup(b *testing.B) {
	for _, devices := range []int{0, 1, 3} {
		b.Run(fmt.Sprint("devices=", devices), func(b *testing.B) { benchmarkLookup(b, devices) })
	}
}

func benchmarkLookup(b *testing.B, devices int) {
	const users = 500
	rdb := redis.NewClient(&redis.Options{Addr: servers.Redis(b)})
	b.Cleanup(func() { _ = rdb.Close() })
	names := keys.Default()
	store, err := tokens.New(rdb, names, nil, tokens.Options{})
	if err != nil {
		b.Fatal(err)
	}
	ids := make([]string, users)
	pipe := rdb.Pipeline()
	for i := range ids {
		ids[i] = fmt.Sprint("u", i)
		pipe.Set(b.Context(), names.Token(ids[i]), strings.Repeat("t", 22)+":"+strings.Repeat("x", 130)+ids[i], 0)
		for d := range devices {
			address := fmt.Sprintf("%s%02d:%s", strings.Repeat("y", 20), d, strings.Repeat("y", 130))
			pipe.HSet(b.Context(), names.Devices(ids[i]), address, `{"kind":"token","platform":"ios","lastUse":1767225600}`)
		}
	}
	if _, err := pipe.Exec(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if found, err := store.Lookup(b.Context(), ids); err != nil || len(found) != users {
			b.Fatal(len(found), err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/users, "ns/user")
}
