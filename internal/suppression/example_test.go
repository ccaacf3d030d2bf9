package suppression_test

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/suppression"
)

// A dispatcher asks for the users of a claim together.
func ExampleSet() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	ctx := context.Background()
	set := suppression.New(rdb, keys.Default(), nil)
	added, err := set.Add(ctx, "u1", "u2", "u1")
	fmt.Println("added:", added, err)
	found, err := set.Find(ctx, []string{"u1", "u3"})
	fmt.Println("suppressed:", found, err)
	// Output:
	// added: 2 <nil>
	// suppressed: map[u1:true] <nil>
}
