package assembly

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"fanfare/internal/access"
	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/store"
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

// AwaitInterval is how often a starting program tries FCM or the database again.
const AwaitInterval = 2 * time.Second

// AwaitDatabase waits until the database has our tables and permits all that a responder does. So
// no result leaves Redis before it can be written. It also returns nil when ctx ends.
//
// It waits through an outage, since a restart would not shorten that, and calls onWait before the
// first wait, as AwaitFCM does. An error that only a person can fix ends the wait, with its exit
// code.
func (r *Rooms) AwaitDatabase(ctx context.Context, onWait func()) error {
	return awaitDatabase(ctx, r.prepareDatabase, r.Logger, onWait)
}

// prepareDatabase pings first, because a migration has no timeout.
func (r *Rooms) prepareDatabase(ctx context.Context) error {
	if err := r.Store.Ping(ctx); err != nil {
		return err
	}
	if err := r.Store.Migrate(ctx); err != nil {
		return err
	}
	return r.Store.CheckWrites(ctx)
}

func awaitDatabase(ctx context.Context, prepare func(context.Context) error, log *slog.Logger, onWait func()) error {
	for tries := 0; ctx.Err() == nil; tries++ {
		err := prepare(ctx)
		switch {
		case err == nil && tries > 0:
			log.Info("database is usable; writing results")
			return nil
		case err == nil || ctx.Err() != nil:
			return nil //nolint:nilerr // a stop is no fault of the database
		case store.FaultOf(err) != store.Transient:
			return assignDatabaseExitCode(err)
		case tries == 0:
			log.Error("database is unusable; results stay in Redis until it recovers (see fanfare check)", "error", err, "every", AwaitInterval)
			onWait()
		}
		select {
		case <-ctx.Done():
		case <-time.After(AwaitInterval):
		}
	}
	return nil
}

// CheckQueries refuses to start a dispatcher whose queries cannot work. During an outage of the
// database, recipients who need it wait and others are served. If a query fails later, the
// campaigns that need it stop.
func (r *Rooms) CheckQueries(ctx context.Context) error {
	if r.Store == nil {
		return nil
	}
	err := r.Store.CheckQueries(ctx)
	if err == nil || ctx.Err() != nil {
		return nil //nolint:nilerr // a stop is no fault of the database
	}
	if store.FaultOf(err) == store.Transient {
		r.Logger.Warn("database is unavailable; recipients who need it wait", "error", err)
		return nil
	}
	return assignDatabaseExitCode(err)
}
