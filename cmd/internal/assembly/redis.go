package assembly

import (
	"context"
	"errors"
	"fmt"

	"fanfare/internal/access"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
)

// checkRedis refuses to start if Redis cannot be reached, has another mode than the settings say,
// or may evict recipients.
func (r *Rooms) checkRedis(ctx context.Context) error {
	mode, evicts, err := checks.Redis{Client: r.Redis}.AtStart(ctx)
	switch {
	case err != nil:
		return assignRedisExitCode(err)
	case mode.Grade == checks.Failure:
		return daemon.WithExitCode(daemon.ExitUsage, errors.New(formatFinding(mode)))
	case evicts.Grade == checks.Failure && !r.Settings.Redis.AllowVolatileEviction:
		return daemon.WithExitCode(daemon.ExitUsage, errors.New(formatFinding(evicts)+"; or set redis.allow_volatile_eviction"))
	case evicts.Grade != checks.Good:
		r.Logger.Warn(formatFinding(evicts))
	}
	return nil
}

func formatFinding(f checks.Finding) string {
	return fmt.Sprintf("%s: %s: %s", f.Name, f.Detail, f.Advice)
}

// CheckResultAccess refuses to start a responder if Redis denies it a key or command.
func (r *Rooms) CheckResultAccess(ctx context.Context) error {
	return AsAccessError(access.Check(ctx, r.Redis, r.ResultAccess()...))
}

// ResultAccess returns the keys and commands that a responder needs.
func (r *Rooms) ResultAccess() []access.Keys {
	return append(access.Results(r.Names), access.Server(false))
}
