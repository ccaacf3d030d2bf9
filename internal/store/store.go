// Package store writes the outcome of every recipient to SQL. It also reads tokens and profiles
// from the application's database. It speaks PostgreSQL and SQLite, and no other room speaks SQL.
//
// The tables of the store begin with fanfare_. They hold one row per outcome and one count per
// campaign and status. Triggers keep the counts, so counts and rows agree whatever program writes
// them.
package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"fanfare/internal/notification"
)

// Store is one database. It is safe for concurrent use.
type Store struct {
	o        Options
	backend  backend
	clearOff atomic.Bool // see clearing
}

// scanFunc reads the columns of a row. rowFunc is called once per row of a query.
type (
	scanFunc func(dest ...any) error
	rowFunc  func(scan scanFunc) error
)

// backend is what PostgreSQL and SQLite do differently.
type backend interface {
	ping(ctx context.Context) error
	query(ctx context.Context, text string, args []any, row rowFunc) error
	// queryNamed is query with the names of the columns.
	queryNamed(ctx context.Context, text string, args []any, row func(columns []string, scan scanFunc) error) error
	// queryInOrder is query for a page of a large table, in the order of an index.
	queryInOrder(ctx context.Context, text string, args []any, row rowFunc) error
	// queryReadOnly is query for a text of the application's, which may call a function that
	// writes.
	queryReadOnly(ctx context.Context, text string, row rowFunc) error
	// readPage reads a page of a query, and one row more if there is one.
	readPage(ctx context.Context, q *Query, after string) ([]QueryRow, error)
	// timeExpression returns the SQL expression that formats a time column as timeLayout.
	timeExpression(column string) string
	// adapt learns from a failed call how to avoid the failure. It reports whether the call is
	// worth repeating at once.
	adapt(err error) bool
	// apply writes rows and clears dead tokens. The rows are distinct and ordered by their keys.
	apply(ctx context.Context, rows []*notification.Result, devices []deviceRow, dead []userToken) error
	// addHistory writes entries that are not there yet, in one transaction.
	addHistory(ctx context.Context, campaign string, entries []notification.HistoryEntry) error
	// restore runs the restoring statement for each token, in one transaction.
	restore(ctx context.Context, tokens []userToken) error
	migrate(ctx context.Context) error
	// dryRunMigrate creates Fanfare's tables where none exist and rolls back, which proves the
	// permission. It reports whether the tables exist already.
	dryRunMigrate(ctx context.Context) (made bool, err error)
	// describe parses a statement without running it.
	describe(ctx context.Context, text string) (description, error)
	// exampleTokenQuery and exampleProfileQuery return queries that work on a table users.
	exampleTokenQuery() string
	exampleProfileQuery() string
	// inIDs returns the condition that an id of any type is one of those in $1.
	inIDs() string
	// ownStatements returns all statements over Fanfare's own tables.
	ownStatements() []string
	// inArray returns the condition that a text is one of those in a parameter from encodeIDs.
	inArray(param string) string
	// encodeIDs encodes ids as the value of a query's $1.
	encodeIDs(ids []string) string
	// filterConvertible drops the ids that the type of a query's $1 cannot hold.
	filterConvertible(ctx context.Context, query string, ids []string) ([]string, error)
	close() error
}

// Open opens the database of a URL: postgres://user@host/database or sqlite:path. It checks the URL
// and the options and does not connect. A database that is down at the start is thus handled like
// one that goes down later. Ping connects.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	kind, rest, err := splitURL(url)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	if kind == kindSQLite {
		return openSQLite(rest, o)
	}
	return openPostgres(ctx, rest, o)
}

// Ping checks that the database is reachable and accepts the credentials.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.withTimeout(ctx, s.backend.ping); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	return nil
}

// Migrate brings Fanfare's tables to this program's version and touches no other table. Replicas
// that start together take turns, and all but the first find nothing to do.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.withAdaptation(ctx, s.backend.migrate); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// Check checks that the database is reachable, accepts Fanfare's tables and understands all
// configured statements. It changes nothing. CheckQueries and CheckWrites check parts of this.
func (s *Store) Check(ctx context.Context) error {
	if err := s.Ping(ctx); err != nil {
		return err
	}
	made := false
	err := s.withAdaptation(ctx, func(ctx context.Context) (err error) {
		made, err = s.backend.dryRunMigrate(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	if made {
		err = s.checkTables(ctx)
	}
	return errors.Join(err, s.check(ctx, s.o.tokenQuery(), s.o.profileQuery(), s.o.suppressionQuery(), s.tokenClear(), s.o.tokenRestore()))
}

// Close closes all connections. Running calls fail.
func (s *Store) Close() error {
	return s.backend.close()
}

// errTimeout is the cause of a context that Options.Timeout ended.
var errTimeout = errors.New("store.timeout elapsed")

// withTimeout runs one database call within Options.Timeout. Drivers report an elapsed deadline in
// many forms. The error that withTimeout returns is always a Transient fault and names the setting.
func (s *Store) withTimeout(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, errTimeout)
	defer cancel()
	err := s.withAdaptation(ctx, call)
	if err != nil && errors.Is(context.Cause(ctx), errTimeout) {
		return fmt.Errorf("database did not answer within %s (%s); check its load, or raise the setting: %w",
			settingTimeout, s.o.Timeout, context.DeadlineExceeded)
	}
	return shortenConnectError(err)
}

// withAdaptation repeats a call as long as the backend learns from its error.
func (s *Store) withAdaptation(ctx context.Context, call func(context.Context) error) error {
	const maxRepeats = 32 // more than a URL has parameters
	err := call(ctx)
	for range maxRepeats {
		if err == nil || !s.backend.adapt(err) {
			break
		}
		err = call(ctx)
	}
	return err
}
