package assembly

import (
	"context"
	"errors"

	"fanfare/internal/access"
	"fanfare/internal/daemon"
)

// CheckResultAccess refuses to start a responder that Redis denies a key or a command it needs.
func (r *Rooms) CheckResultAccess(ctx context.Context) error {
	return AsAccessError(access.Check(ctx, r.Redis, r.ResultAccess()...))
}

// ResultAccess is what a responder needs.
func (r *Rooms) ResultAccess() []access.Keys {
	return append(access.Results(r.Names), access.Server(false))
}

// RefusedAccess keeps a program from starting only where it is denied something. An outage passes.
func AsAccessError(err error) error {
	if _, denied := errors.AsType[*access.Error](err); denied {
		return daemon.WithExitCode(daemon.ExitCredentials, err)
	}
	return nil
}
