package assembly

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"fanfare/internal/checks"
	"fanfare/internal/daemon"
	"fanfare/internal/store"
)

// AwaitInterval is how often FCM or the database is tried again while a program waits for it at its start.
const AwaitInterval = 2 * time.Second

// AwaitDatabase returns when the database has our tables and can run all that a responder asks of it: nothing is taken from Redis
// before it can be written. An outage it waits out, since a restart would not shorten it; what only a person can change ends it,
// with its exit code. holding is called before the first wait, as in AwaitFCM. It returns nil as well when ctx ends.
func (r *Rooms) AwaitDatabase(ctx context.Context, holding func()) error {
	return awaitDatabase(ctx, r.prepareDatabase, r.Logger, holding)
}

// prepareDatabase asks for an answer first: a migration has no time limit.
func (r *Rooms) prepareDatabase(ctx context.Context) error {
	if err := r.Store.Ping(ctx); err != nil {
		return err
	}
	if err := r.Store.Migrate(ctx); err != nil {
		return err
	}
	return r.Store.CheckWrites(ctx)
}

func awaitDatabase(ctx context.Context, prepare func(context.Context) error, log *slog.Logger, holding func()) error {
	for tries := 0; ctx.Err() == nil; tries++ {
		err := prepare(ctx)
		switch {
		case err == nil && tries > 0:
			log.Info("database can be used: results are written")
			return nil
		case err == nil || ctx.Err() != nil:
			return nil //nolint:nilerr // a stop is no fault of the database
		case store.FaultOf(err) != store.Transient:
			return assignDatabaseExitCode(err)
		case tries == 0:
			log.Error("database cannot be used: results stay in Redis until it can; fanfare check tells more", "error", err, "every", AwaitInterval)
			holding()
		}
		select {
		case <-ctx.Done():
		case <-time.After(AwaitInterval):
		}
	}
	return nil
}

// databaseExit gives an error of the database its exit code: what no restart cures is told apart from what one may cure.
func assignDatabaseExitCode(err error) error {
	switch store.RefusalOf(err) {
	case store.Denied:
		return daemon.WithExitCode(daemon.ExitCredentials, fmt.Errorf("%w; check user and password in DATABASE_URL, and grant that user what docs/contract.md lists under \"The database\"", err))
	case store.Misconfigured:
		return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; check DATABASE_URL and the settings store.*", err))
	}
	return err
}

// CheckQueries refuses to start a dispatcher whose queries cannot find anyone. While the database is away, those who need it wait,
// and the others are served; a query that proves wrong later stops the campaigns that need it.
func (r *Rooms) CheckQueries(ctx context.Context) error {
	if r.Store == nil {
		return nil
	}
	err := r.Store.CheckQueries(ctx)
	if err == nil || ctx.Err() != nil {
		return nil //nolint:nilerr // a stop is no fault of the database
	}
	if store.FaultOf(err) == store.Transient {
		r.Logger.Warn("database cannot be asked: recipients whose token or profile is there wait", "error", err)
		return nil
	}
	return assignDatabaseExitCode(err)
}

// PlaintextDatabase warns of a database beyond this machine to which passwords and tokens may go without TLS; nil is none.
func (r *Rooms) CheckPlaintextDatabase() error {
	if r.Store == nil {
		return nil
	}
	host := r.Store.PlaintextHost()
	if host == "" {
		return nil
	}
	return &checks.Caution{
		Problem: "PostgreSQL at " + host + " may be reached without TLS: results and tokens can be read on the way",
		Advice:  "add sslmode=verify-full to DATABASE_URL, or sslmode=require where its certificate cannot be verified",
	}
}
