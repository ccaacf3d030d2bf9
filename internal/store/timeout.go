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
	err := call(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return fmt.Errorf("no answer within %s, which is %s: %w", s.o.Timeout, settingTimeout, context.DeadlineExceeded)
	}
	return err
}
