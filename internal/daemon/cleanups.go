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

// Cleanups is a stack of named things to undo. What was opened last is closed first, because it may stand on the rest.
type Cleanups struct {
	mu    sync.Mutex
	stack []cleanup
}

type cleanup struct {
	name string
	run  func(context.Context) error
}

// ErrCleanupTimeout is the error of what was not closed when the time to close was over.
var ErrCleanupTimeout = errors.New("the time to close is over")

// Add puts a clean-up on the stack.
func (c *Cleanups) Add(name string, run func(context.Context) error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stack = append(c.stack, cleanup{name, run})
}

// Run empties the stack. One that fails does not keep the others from running; their errors are joined, each with its name.
// When ctx ends, one that hangs is left behind, and those that it may stand on are left as they are: the end of the process
// closes them.
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
