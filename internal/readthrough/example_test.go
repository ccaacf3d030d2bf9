package readthrough_test

import (
	"context"
	"fmt"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/readthrough"
)

// The second lookup finds the value in Redis and does not query the source.
func ExampleCache() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	source := func(_ context.Context, ids []string) (map[string]string, error) {
		fmt.Println("query", ids)
		return map[string]string{"1": "one"}, nil
	}
	cache, err := readthrough.New(rdb, readthrough.Keys{
		Value: func(id string) string { return "value:" + id },
		None:  func(id string) string { return "none:" + id },
	}, func(text string) (string, error) { return text, nil }, source, readthrough.Options{
		Kind: "number", TTL: time.Hour, NegativeTTL: time.Minute,
	})
	if err != nil {
		panic(err)
	}
	for range 2 {
		fmt.Println(cache.Lookup(context.Background(), []string{"1", "2"}))
	}
	// Output:
	// query [1 2]
	// map[1:one] <nil>
	// map[1:one] <nil>
}
