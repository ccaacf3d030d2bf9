package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"
)

// Cleanups is a stack of named clean-ups. The last opened closes first, because it may depend on
// the others.
type Cleanups struct {
	mu    sync.Mutex
	stack []cleanup
}

type cleanup struct {
	name string
	run  func(context.Context) error
}

// ErrCleanupTimeout is the error of a clean-up that did not end in time.
var ErrCleanupTimeout = errors.New("clean-up timed out")

// Add pushes a clean-up.
func (c *Cleanups) Add(name string, run func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stack = append(c.stack, cleanup{name, run})
}

// Run runs and removes all clean-ups, the last first, and joins their errors. An error does not
// stop it. When ctx ends, it abandons a clean-up that hangs, and skips the rest, on which that one
// may depend.
func (c *Cleanups) Run(ctx context.Context, log *slog.Logger) error {
	c.mu.Lock()
	stack := c.stack
	c.stack = nil
	c.mu.Unlock()

	var errs []error
	for _, cleanup := range slices.Backward(stack) {
		began := time.Now()
		err := cleanup.runUntil(ctx)
		log.Debug("cleaned up", "what", cleanup.name, "took", time.Since(began), "error", err)
		if err != nil {
			errs = append(errs, fmt.Errorf("close %s: %w", cleanup.name, err))
		}
	}
	return errors.Join(errs...)
}

func (c cleanup) runUntil(ctx context.Context) error {
	if ctx.Err() != nil {
		return ErrCleanupTimeout
	}
	done := make(chan error, 1)
	go func() { done <- c.run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ErrCleanupTimeout
	}
}
