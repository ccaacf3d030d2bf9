package store

import (
	"context"
	"errors"
	"fmt"
)

// errTimeout ends what the database did not answer within Options.Timeout.
var errTimeout = errors.New("no answer in time")

// within lets one call of the database take as long as Options.Timeout allows. What the driver makes of the deadline
// differs with the moment; the error that is returned is a Transient fault each time, and names the setting.
func (s *Store) within(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, errTimeout)
	defer cancel()
	err := s.adapted(ctx, call)
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return fmt.Errorf("no answer within %s, which is %s: %w", s.o.Timeout, settingTimeout, context.DeadlineExceeded)
	}
	return err
}

// adapted repeats a call whose cause of failure the backend has learned to avoid.
func (s *Store) adapted(ctx context.Context, call func(context.Context) error) error {
	const lessons = 32 // more than a URL has parameters
	err := call(ctx)
	for range lessons {
		if err == nil || !s.backend.adapt(err) {
			break
		}
		err = call(ctx)
	}
	return err
}
