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
	permit, err := l.Acquire(context.Background())
	fmt.Println("first:", err)

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = l.Acquire(ctx)
	fmt.Println("cancelled:", err)

	permit.Done(inflight.Outcome{Signal: inflight.Good, Latency: 80 * time.Millisecond})
	_, err = l.Acquire(context.Background())
	fmt.Println("after Done:", err)
	// Output:
	// first: <nil>
	// cancelled: wait for a permit: context canceled
	// after Done: <nil>
}
