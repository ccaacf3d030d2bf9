package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations
var migrations embed.FS

// versionTable is goose's, under a name of ours: the application may use goose for its own tables.
const versionTable = "fanfare_schema_version"

// migrationLock is the number of the advisory lock that migrating replicas hold in turn.
const migrationLock = 0x66616e66617265 // "fanfare" in ASCII

// migrate waits for its turn, asking each second for up to five minutes.
func (p *postgres) migrate(ctx context.Context) error {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockID(migrationLock), lock.WithLockTimeout(1, 300))
	if err != nil {
		return err
	}
	return up(ctx, goose.DialectPostgres, p.db, "migrations/postgres", goose.WithSessionLocker(locker))
}

// migrate runs on a connection of its own inside one transaction that holds SQLite's write lock, for goose has no lock
// for SQLite. IsolateDDL keeps goose from opening transactions inside ours.
func (f *sqliteFile) migrate(ctx context.Context) (err error) {
	db, err := sql.Open("sqlite", f.dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }() // without COMMIT, this rolls back
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return fmt.Errorf("wait for the other writers: %w", err)
	}
	if err := up(ctx, goose.DialectSQLite3, db, "migrations/sqlite", goose.WithIsolateDDL(true)); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "COMMIT")
	return err
}

func up(ctx context.Context, dialect goose.Dialect, db *sql.DB, dir string, o goose.ProviderOption) error {
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, files,
		goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true), o)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}
