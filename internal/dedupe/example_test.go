package dedupe_test

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/dedupe"
	"fanfare/internal/keys"
)

// The first element that takes an address owns it, also when it asks again after a crash.
func ExampleRecord_Take() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	list := keys.NewList("campaign:42")
	record := dedupe.New(rdb, list, func(context.Context) (int64, error) { return 1000, nil })
	ctx := context.Background()
	if err := rdb.HSet(ctx, list.Key(keys.SuffixSpec), "state", "running").Err(); err != nil {
		panic(err)
	}
	phone := func(element string) []dedupe.Address { return []dedupe.Address{{Element: element, Text: "phone"}} }
	for _, element := range []string{"e1", "e2", "e1"} {
		owned, err := record.Take(ctx, phone(element))
		fmt.Println(element, owned, err)
	}
	// Output:
	// e1 [true] <nil>
	// e2 [false] <nil>
	// e1 [true] <nil>
}
