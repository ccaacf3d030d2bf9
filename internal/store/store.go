// Package store keeps what became of every recipient in SQL, and reads tokens and profiles from a database that
// exists already. It speaks PostgreSQL and SQLite; nothing else in the program speaks SQL.
//
// Its own tables, all prefixed fanfare_, hold one row for each outcome and a count for each campaign and status.
// The counts are kept by the database's triggers, so that they cannot disagree with the rows, whoever writes them.
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
	o           Options
	backend     backend
	clearingOff atomic.Bool // see clearing
}

// scanFunc reads the columns of a row; rowFunc is called for each row of an answer.
type (
	scanFunc func(dest ...any) error
	rowFunc  func(scan scanFunc) error
)

// backend is what the two databases do each in their own way.
type backend interface {
	ping(ctx context.Context) error
	query(ctx context.Context, text string, args []any, row rowFunc) error
	// instant is the expression that gives a column's times as instantLayout writes them.
	instant(column string) string
	// adapt reports whether the call that an error ended is worth repeating at once, for the cause is known and avoided now.
	adapt(err error) bool
	// apply writes rows, which are distinct and in the order of their keys, and clears the dead tokens.
	apply(ctx context.Context, rows []*notification.Result, dead []userToken) error
	// restore runs the restoring statement for each of the tokens, in one transaction.
	restore(ctx context.Context, tokens []userToken) error
	migrate(ctx context.Context) error
	// rehearse makes our tables in a database without them and takes them back, which proves that it may. made reports that
	// they were made before.
	rehearse(ctx context.Context) (made bool, err error)
	// describe reads a statement and does not run it.
	describe(ctx context.Context, text string) (description, error)
	// tokenForm and profileForm are queries that work with a table of users.
	tokenForm() string
	profileForm() string
	// ownStatements are all that is done with our own tables.
	ownStatements() []string
	// idList is the ids as the value of a query's $1.
	idList(ids []string) string
	// fitting leaves out the ids that the type of a query's $1 evidently cannot hold.
	fitting(ctx context.Context, query string, ids []string) ([]string, error)
	close() error
}

// Open makes a Store of a URL: postgres://user@host/database, or sqlite:path. It checks the URL and the options but
// does not connect yet, so that a database which is down at the start is met like one which goes down later; Ping asks.
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

// Ping reports whether the database can be reached and accepts who we are.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.within(ctx, s.backend.ping); err != nil {
		return fmt.Errorf("reach database: %w", err)
	}
	return nil
}

// Migrate brings our own tables up to this program's version. Replicas that start together take turns, and all but
// the first find nothing to do. It never touches a table that is not ours.
func (s *Store) Migrate(ctx context.Context) error {
	if err := s.adapted(ctx, s.backend.migrate); err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	return nil
}

// Check asks whether the database can be reached, can be given our tables, and understands all that is configured: see
// CheckQueries and CheckWrites. It changes nothing.
func (s *Store) Check(ctx context.Context) error {
	if err := s.Ping(ctx); err != nil {
		return err
	}
	made := false
	err := s.adapted(ctx, func(ctx context.Context) (err error) {
		made, err = s.backend.rehearse(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("migrate database: %w", err)
	}
	if made {
		err = s.checkTables(ctx)
	}
	return errors.Join(err, s.check(ctx, s.o.querying(), s.o.profiling(), s.clearing(), s.o.restoring()))
}

// Apply writes results down in one transaction: all of them or none. Of several results with the same campaign, user
// and result id the one of the highest rank stays, be they in this batch or in the table, so that a repeated or late
// result takes no knowledge away. A result with TokenRemoved also clears the user's token in SQL, if it is still that
// token. What an error means, FaultOf says.
func (s *Store) Apply(ctx context.Context, results []notification.Result) error {
	if len(results) == 0 {
		return nil
	}
	for i := range results {
		if err := checkResult(&results[i]); err != nil {
			return fmt.Errorf("apply results: %w", err)
		}
	}
	var dead []userToken
	if s.clearing().text != "" {
		dead = deadTokens(results)
	}
	err := s.within(ctx, func(ctx context.Context) error { return s.backend.apply(ctx, distinct(results), dead) })
	if err != nil {
		return fmt.Errorf("apply results: %w", err)
	}
	return nil
}

// Close ends all connections; what is under way fails.
func (s *Store) Close() error {
	return s.backend.close()
}
