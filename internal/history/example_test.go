package history_test

import (
	"context"
	"fmt"

	"fanfare/internal/history"
)

// Who acts travels with the context, and a breaker has a name of its own.
func ExampleWithActor() {
	ctx := history.WithActor(context.Background(), "ann@ops-1")
	fmt.Println(history.ActorOf(ctx), history.IsBreaker(history.ActorOf(ctx)))
	breaker := history.NameBreaker("dispatcher-7", "unregistered")
	fmt.Println(history.IsBreaker(breaker))
	// Output:
	// ann@ops-1 false
	// true
}
