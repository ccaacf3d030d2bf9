package store

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

//go:embed migrations
var migrations embed.FS

// versionTable is goose's, under a name of ours: the application may use goose for its own tables.
const versionTable = "fanfare_schema_version"

// migrationLock is the number of the advisory lock that a migrating replica holds.
const migrationLock = 0x66616e66617265 // "fanfare" in ASCII

const (
	lockInterval = time.Second     // how often a waiting replica asks for the lock
	lockTimeout  = 5 * time.Minute // how long it asks
)

// migrate waits for its turn. All is done in one transaction, on one connection: a pooler in transaction mode takes a
// session's lock, and its settings, to whatever client comes next.
func (p *postgres) migrate(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lockTimeout, errors.New("another replica is migrating the database"))
	defer cancel()
	for {
		done, err := p.tryMigrate(ctx)
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for the migration lock: %w", context.Cause(ctx))
		case <-time.After(lockInterval):
		}
	}
}

// tryMigrate reports false where another replica holds the lock.
func (p *postgres) tryMigrate(ctx context.Context) (done bool, err error) {
	err = p.migrating(ctx, func(db *sql.DB) error {
		if err := db.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, migrationLock).Scan(&done); err != nil || !done {
			return err
		}
		if err := up(ctx, goose.DialectPostgres, db, "migrations/postgres"); err != nil {
			return err
		}
		_, err := db.ExecContext(ctx, "COMMIT")
		return err
	})
	return done, err
}

// errReadOnly is a Transient fault: a standby becomes a primary at some time, and another address may be one now.
var errReadOnly = errors.New("the database is read-only: name a primary that may be written, such as with target_session_attrs=read-write in the URL")

// migrating works in a transaction on the only connection of a database of its own. Without COMMIT it is rolled back.
func (p *postgres) migrating(ctx context.Context, work func(*sql.DB) error) (err error) {
	db := sql.OpenDB(pinning{stdlib.GetConnector(*p.pool.Config().ConnConfig, stdlib.OptionBeforeConnect(p.session.beforeConnect))})
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, cmp.Or(p.session.begin(), "BEGIN")); err != nil {
		return err
	}
	var readOnly string
	if err := db.QueryRowContext(ctx, `SELECT current_setting('transaction_read_only')`).Scan(&readOnly); err != nil {
		return err
	}
	if readOnly == "on" {
		return errReadOnly
	}
	return work(db)
}

// rehearse takes no lock: what it makes is seen by no one else.
func (p *postgres) rehearse(ctx context.Context) (made bool, err error) {
	err = p.migrating(ctx, func(db *sql.DB) (err error) {
		made, err = rehearsed(ctx, goose.DialectPostgres, db, "migrations/postgres")
		return err
	})
	return made, err
}

// pinning makes connections that database/sql keeps although a transaction is open: the standard library's does not know of
// one that began with a statement.
type pinning struct{ driver.Connector }

func (p pinning) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return pinned{conn.(*stdlib.Conn)}, nil
}

type pinned struct{ *stdlib.Conn }

// ResetSession keeps the connection as it is.
func (pinned) ResetSession(context.Context) error { return nil }

// migrate works inside one transaction that holds SQLite's write lock, for goose has no lock for SQLite.
func (f *sqliteFile) migrate(ctx context.Context) error {
	return f.migrating(ctx, func(db *sql.DB) error {
		if err := up(ctx, goose.DialectSQLite3, db, "migrations/sqlite"); err != nil {
			return err
		}
		_, err := db.ExecContext(ctx, "COMMIT")
		return err
	})
}

// migrating works in a transaction on the only connection of a database of its own. Without COMMIT it is rolled back.
func (f *sqliteFile) migrating(ctx context.Context, work func(*sql.DB) error) (err error) {
	db, err := sql.Open("sqlite", f.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("wait for the other writers: %w", err)
	}
	return work(db)
}

func (f *sqliteFile) rehearse(ctx context.Context) (made bool, err error) {
	err = f.migrating(ctx, func(db *sql.DB) (err error) {
		made, err = rehearsed(ctx, goose.DialectSQLite3, db, "migrations/sqlite")
		return err
	})
	return made, err
}

// rehearsed makes our tables where no version is noted.
func rehearsed(ctx context.Context, dialect goose.Dialect, db *sql.DB, dir string) (made bool, err error) {
	if made, err = hasVersions(ctx, dialect, db); made || err != nil {
		return made, err
	}
	return false, up(ctx, dialect, db, dir)
}

// up migrates within the transaction that is open on db's only connection. IsolateDDL keeps goose from opening others.
func up(ctx context.Context, dialect goose.Dialect, db *sql.DB, dir string) error {
	if err := ensureVersions(ctx, dialect, db); err != nil {
		return err
	}
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), goose.WithIsolateDDL(true))
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

// ensureVersions makes goose's table. Goose would try again where it may not, and in a failed transaction the second error
// hides the first.
func ensureVersions(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	if exists, err := hasVersions(ctx, dialect, db); exists || err != nil {
		return err
	}
	versions, err := database.NewStore(dialect, versionTable)
	if err != nil {
		return err
	}
	if err := versions.CreateVersionTable(ctx, db); err != nil {
		return err
	}
	return versions.Insert(ctx, db, database.InsertRequest{Version: 0})
}

// hasVersions looks for goose's table where goose does.
func hasVersions(ctx context.Context, dialect goose.Dialect, db *sql.DB) (exists bool, err error) {
	look := map[goose.Dialect]string{
		goose.DialectPostgres: `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = '` + versionTable + `'`,
		goose.DialectSQLite3:  `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '` + versionTable + `'`,
	}
	var tables int
	err = db.QueryRowContext(ctx, look[dialect]).Scan(&tables)
	return tables > 0, err
}
