package wire

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/queue"
)

// AwaitResults returns when no result waits for the responder any more.
func (r *Rooms) AwaitResults(ctx context.Context) error {
	results, err := queue.New(r.Redis, r.Names.ResponsesList(), queue.Options{})
	if err != nil {
		return err
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		counts, err := results.Count(ctx)
		if err != nil {
			return fmt.Errorf("count results: %w", err)
		}
		if counts.Listed+counts.Back+counts.Retrying+counts.InFlight == 0 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
