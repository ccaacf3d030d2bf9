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

// versionTable is goose's table. It has its own name because the application may use goose, too.
const versionTable = "fanfare_schema_version"

// migrationLock is the advisory lock of the migrating replica.
const migrationLock = 0x66616e66617265 // "fanfare" in ASCII

const (
	lockInterval = time.Second     // between two attempts of a waiting replica
	lockTimeout  = 5 * time.Minute // of all attempts
)

// migrate changes the tables, and then does what would hold a large table's lock for long.
func (p *postgres) migrate(ctx context.Context) error {
	if err := p.migrateTables(ctx); err != nil {
		return err
	}
	if err := p.recountMinutes(ctx); err != nil {
		return err
	}
	p.buildUserIndex(ctx)
	return ctx.Err()
}

// migrateTables waits for the lock and migrates in one transaction on one connection. A pooler in
// transaction mode would pass a session's lock and settings to its next client.
func (p *postgres) migrateTables(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, lockTimeout, errors.New("another replica is still migrating the database; see its log"))
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

// tryMigrate returns false if another replica holds the lock.
func (p *postgres) tryMigrate(ctx context.Context) (done bool, err error) {
	err = p.inMigrationTx(ctx, func(db *sql.DB) error {
		if err := db.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, migrationLock).Scan(&done); err != nil || !done {
			return err
		}
		if err := applyMigrations(ctx, goose.DialectPostgres, db, "migrations/postgres"); err != nil {
			return err
		}
		_, err := db.ExecContext(ctx, "COMMIT")
		return err
	})
	return done, err
}

// errReadOnly is a Transient fault: a standby may become a primary, and another address may be one
// already.
var errReadOnly = errors.New("the database is read-only: connect to a primary, such as with target_session_attrs=read-write in the URL")

// inMigrationTx runs work in a transaction on the only connection of a separate pool. It rolls back
// unless work commits.
func (p *postgres) inMigrationTx(ctx context.Context, work func(*sql.DB) error) (err error) {
	db := sql.OpenDB(pinnedConnector{stdlib.GetConnector(*p.pool.Config().ConnConfig, stdlib.OptionBeforeConnect(p.session.omitRefused))})
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, cmp.Or(p.session.beginQuery(), "BEGIN")); err != nil {
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

// dryRunMigrate takes no lock, because no one else sees what it creates.
func (p *postgres) dryRunMigrate(ctx context.Context) (made bool, err error) {
	err = p.inMigrationTx(ctx, func(db *sql.DB) (err error) {
		made, err = migrateIfNew(ctx, goose.DialectPostgres, db, "migrations/postgres")
		return err
	})
	return made, err
}

// pinnedConnector makes connections that database/sql keeps while a transaction is open. The
// connections of stdlib are not aware of a transaction that began with a statement.
type pinnedConnector struct{ driver.Connector }

func (p pinnedConnector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return pinnedConn{conn.(*stdlib.Conn)}, nil
}

type pinnedConn struct{ *stdlib.Conn }

// ResetSession does nothing.
func (pinnedConn) ResetSession(context.Context) error { return nil }

// migrate holds SQLite's write lock in one transaction, because goose has no lock for SQLite.
func (f *sqliteFile) migrate(ctx context.Context) error {
	return f.inMigrationTx(ctx, func(db *sql.DB) error {
		if err := applyMigrations(ctx, goose.DialectSQLite3, db, "migrations/sqlite"); err != nil {
			return err
		}
		_, err := db.ExecContext(ctx, "COMMIT")
		return err
	})
}

// inMigrationTx runs work in a transaction on the only connection of a separate pool. It rolls back
// unless work commits.
func (f *sqliteFile) inMigrationTx(ctx context.Context, work func(*sql.DB) error) (err error) {
	db, err := openSQLitePool(f.dsn)
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

func (f *sqliteFile) dryRunMigrate(ctx context.Context) (made bool, err error) {
	err = f.inMigrationTx(ctx, func(db *sql.DB) (err error) {
		made, err = migrateIfNew(ctx, goose.DialectSQLite3, db, "migrations/sqlite")
		return err
	})
	return made, err
}

// migrateIfNew creates Fanfare's tables if no version is recorded.
func migrateIfNew(ctx context.Context, dialect goose.Dialect, db *sql.DB, dir string) (made bool, err error) {
	if made, err = hasVersionTable(ctx, dialect, db); made || err != nil {
		return made, err
	}
	return false, applyMigrations(ctx, dialect, db, dir)
}

// applyMigrations migrates in the transaction that is open on db's only connection. IsolateDDL
// keeps goose from opening others.
func applyMigrations(ctx context.Context, dialect goose.Dialect, db *sql.DB, dir string) error {
	if err := ensureVersionTable(ctx, dialect, db); err != nil {
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

// ensureVersionTable creates goose's table. Goose would retry after an error, and in a failed
// transaction the second error hides the first.
func ensureVersionTable(ctx context.Context, dialect goose.Dialect, db *sql.DB) error {
	if exists, err := hasVersionTable(ctx, dialect, db); exists || err != nil {
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

// hasVersionTable looks for goose's table in the same place as goose.
func hasVersionTable(ctx context.Context, dialect goose.Dialect, db *sql.DB) (exists bool, err error) {
	look := map[goose.Dialect]string{
		goose.DialectPostgres: `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = '` + versionTable + `'`,
		goose.DialectSQLite3:  `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = '` + versionTable + `'`,
	}
	var tables int
	err = db.QueryRowContext(ctx, look[dialect]).Scan(&tables)
	return tables > 0, err
}
