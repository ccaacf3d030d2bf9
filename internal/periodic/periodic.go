// Package periodic calls a function at an interval, for roles that look after something from time
// to time. ForEach does a tick's work for many items at once.
package periodic

import (
	"context"
	"sync"
	"time"
)

// Run calls tick after each interval until ctx ends. A tick that takes longer delays the next one.
func Run(ctx context.Context, interval time.Duration, tick func(context.Context)) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if ctx.Err() != nil {
				return // both were ready
			}
			tick(ctx)
		}
	}
}

// RunNow calls tick at once, and then as Run does.
func RunNow(ctx context.Context, interval time.Duration, tick func(context.Context)) {
	tick(ctx)
	Run(ctx, interval, tick)
}

// ForEach calls do for all items concurrently, and returns when all calls have returned. One that
// gets no answer, such as from a stuck Redis shard, delays only itself, and the tick by at most
// limit.
func ForEach[T any](ctx context.Context, limit time.Duration, items []T, do func(context.Context, T)) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var all sync.WaitGroup
	for _, item := range items {
		all.Go(func() { do(ctx, item) })
	}
	all.Wait()
}
