package periodic_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/periodic"
)

func TestTicksKeepTheirInterval(t *testing.T) {
	for name, c := range map[string]struct {
		run  func(context.Context, time.Duration, func(context.Context))
		want []time.Duration
	}{
		"Run":    {periodic.Run, []time.Duration{2 * time.Second, 4 * time.Second}},
		"RunNow": {periodic.RunNow, []time.Duration{0, 2 * time.Second, 4 * time.Second}},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			var at []time.Duration
			start := time.Now()
			c.run(ctx, 2*time.Second, func(context.Context) { at = append(at, time.Since(start)) })
			if !slices.Equal(at, c.want) || time.Since(start) != 5*time.Second {
				t.Errorf("%s ticked at %v and returned after %v, want %v", name, at, time.Since(start), c.want)
			}
		})
	}
}

func ExampleRun() {
	ctx, cancel := context.WithCancel(context.Background())
	periodic.Run(ctx, time.Millisecond, func(context.Context) {
		fmt.Println("tick")
		cancel()
	})
	// Output: tick
}

// An item that gets no answer delays no other item, and the tick no longer than its limit.
func TestForEachWaitsForTheLimitAtMost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		done := make(chan string, 2)
		periodic.ForEach(t.Context(), time.Second, []string{"stuck", "a", "b"}, func(ctx context.Context, item string) {
			if item == "stuck" {
				<-ctx.Done()
				return
			}
			if time.Since(start) == 0 {
				done <- item
			}
		})
		if len(done) != 2 || time.Since(start) != time.Second {
			t.Errorf("%d of 2 items were done at once, and it returned after %s", len(done), time.Since(start))
		}
	})
}
