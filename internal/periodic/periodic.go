// Package periodic calls a function at an interval, for roles that look after something from time
// to time.
package periodic

import (
	"context"
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
			tick(ctx)
		}
	}
}

// RunNow calls tick at once, and then as Run does.
func RunNow(ctx context.Context, interval time.Duration, tick func(context.Context)) {
	tick(ctx)
	Run(ctx, interval, tick)
}
