package tokens_test

import (
	"context"
	"fmt"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/tokens"
)

// A dead token is deleted, and a restore writes it back.
func ExampleStore() {
	server, err := miniredis.Run()
	if err != nil {
		panic(err)
	}
	defer server.Close()
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	defer rdb.Close()
	store, err := tokens.New(rdb, keys.Default(), nil, tokens.Options{})
	if err != nil {
		panic(err)
	}
	ctx, token := context.Background(), notification.ParseToken("token-1")
	if err := store.Set(ctx, "u", token); err != nil {
		panic(err)
	}
	forgotten, err := store.Forget(ctx, "u", token, "42")
	fmt.Println(forgotten.Removed, err)
	restored, err := store.Restore(ctx, tokens.Filter{Campaign: "42"}, tokens.RestoreOptions{})
	fmt.Println(restored.Restored, err)
	found, err := store.Get(ctx, "u")
	fmt.Println(tokens.Newest(found), err)
	// Output:
	// true <nil>
	// 1 <nil>
	// token-… <nil>
}
