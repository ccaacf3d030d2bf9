package inflight_test

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/inflight"
)

// Each request takes a permit and gives it back with its outcome.
func ExampleLimiter() {
	l, err := inflight.New(inflight.Options{Min: 1, Max: 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	var permit, other inflight.Permit
	fmt.Println("first:", l.Acquire(context.Background(), &permit))

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	fmt.Println("cancelled:", l.Acquire(ctx, &other))

	permit.Done(inflight.Outcome{Signal: inflight.Good, Latency: 80 * time.Millisecond})
	fmt.Println("after Done:", l.Acquire(context.Background(), &other))
	// Output:
	// first: <nil>
	// cancelled: wait for a permit: context canceled
	// after Done: <nil>
}
