package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"github.com/pressly/goose/v3"

	"fanfare/internal/notification"
	"fanfare/test/servers"
)

// migratedTo returns a store whose tables are of an older version.
func migratedTo(t *testing.T, url string, version int64) *Store {
	t.Helper()
	s := opened(t, url, Options{})
	dialect, dir := goose.DialectSQLite3, "migrations/sqlite"
	if onPostgres(s) {
		dialect, dir = goose.DialectPostgres, "migrations/postgres"
	}
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		t.Fatal(err)
	}
	db := plain(t, s)
	if err := ensureVersionTable(t.Context(), dialect, db); err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(dialect, db, files, goose.WithTableName(versionTable), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), version); err != nil {
		t.Fatal(err)
	}
	return s
}

// insertOld writes rows as the first version did.
func insertOld(t *testing.T, s *Store, results ...notification.Result) {
	t.Helper()
	for _, r := range results {
		execute(t, s, fmt.Sprintf(`INSERT INTO fanfare_deliveries (campaign_id, user_id, result_id, status, rank, error_code, at)
			VALUES ('%s', '%s', '%s', '%s', %d, '%s', '%s')`, r.CampaignID, r.UserID, r.ResultID, r.Status, r.Status.Rank(), r.ErrorCode, r.At.Format(timeLayout)))
	}
}

// A reader that is newer than the tables shows outcomes without variants. The migration keeps the
// rows, which have no variant until a higher rank brings one.
func TestUpgradeAddsVariants(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := migratedTo(t, url, 4)
			skipped, sent := outcome("42", "a", "1", notification.StatusSkipped), outcome("42", "a", "1", notification.StatusSent)
			insertOld(t, s, skipped)
			if _, ok := errors.AsType[*TablesError](s.CheckWrites(t.Context())); !ok {
				t.Error("the check accepts tables without variants")
			}
			checkVariant(t, s, "")
			if err := s.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			checkVariant(t, s, "")
			sent.Variant = "short"
			apply(t, s, sent)
			checkVariant(t, s, "short")
			skipped.Variant = "late"
			apply(t, s, skipped)
			checkVariant(t, s, "short")
		})
	}
}

// checkVariant expects one row of campaign 42, of a variant.
func checkVariant(t *testing.T, s *Store, want string) {
	t.Helper()
	found, err := s.Deliveries(t.Context(), "42", "a")
	if err != nil || len(found) != 1 || found[0].Variant != want {
		t.Errorf("got %+v (%v), want one outcome of variant %q", found, err, want)
	}
}

// Rows from before there were minutes are counted by the migration, as those after it are.
func TestUpgradeCountsTheRowsThatAreThere(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := migratedTo(t, url, 1)
			failed := outcome("42", "b", "2", notification.StatusFailed)
			failed.ErrorCode = "RARE"
			insertOld(t, s, outcome("42", "a", "1", notification.StatusSent), failed, outcome("43", "a", "1", notification.StatusSkipped))
			for range 2 {
				if err := s.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				checkSummary(t.Context(), t, s, "42")
				checkSummary(t.Context(), t, s, "43")
			}
			failed.Status = notification.StatusSent
			apply(t, s, failed, outcome("42", "c", "3", notification.StatusExpired))
			checkSummary(t.Context(), t, s, "42")
		})
	}
}

// hasUserIndex reports whether the index of users exists and is valid.
func hasUserIndex(t *testing.T, s *Store) bool {
	t.Helper()
	var n int
	err := plain(t, s).QueryRowContext(t.Context(), `SELECT count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
		WHERE c.relname = 'fanfare_deliveries_user' AND i.indisvalid`).Scan(&n)
	if err != nil {
		t.Fatal(err)
	}
	return n == 1
}

// A large table gets its index after the transaction that would lock it.
func TestUpgradeOfALargeTableBuildsTheIndex(t *testing.T) {
	t.Parallel()
	s := migratedTo(t, server.Database(t), 1)
	execute(t, s, `ALTER TABLE fanfare_deliveries ALTER COLUMN error SET STORAGE PLAIN`,
		`INSERT INTO fanfare_deliveries (campaign_id, user_id, result_id, status, rank, error, at)
		 SELECT '42', n::text, '1', 'failed', 4, repeat('x', 7800), now() FROM generate_series(1, 8200) AS n`)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !hasUserIndex(t, s) {
		t.Error("no index")
	}
	checkSummary(t.Context(), t, s, "42")
}

// The build waits for a transaction that writes, and blocks no other writer.
func TestTheIndexIsBuiltBesideWriters(t *testing.T) {
	t.Parallel()
	s := migrated(t, server.Database(t), Options{})
	execute(t, s, `DROP INDEX fanfare_deliveries_user`)
	open, err := plain(t, s).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := open.ExecContext(t.Context(), `INSERT INTO fanfare_deliveries (campaign_id, user_id, result_id, status, rank, at)
		VALUES ('41', 'u', '1', 'sent', 5, now())`); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Migrate(t.Context()) }()
	for building := 0; building == 0; {
		if err := plain(t, s).QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_progress_create_index`).Scan(&building); err != nil {
			t.Fatal(err)
		}
	}
	apply(t, s, outcome("42", "u", "1", notification.StatusSent))
	other := opened(t, s.backend.(*postgres).pool.Config().ConnString(), Options{})
	ctx, cancel := context.WithTimeout(t.Context(), servers.Patience)
	defer cancel()
	if err := other.Migrate(ctx); err != nil { // a second replica does not wait
		t.Fatal(err)
	}
	if hasUserIndex(t, s) {
		t.Error("the index was ready before the open transaction ended")
	}
	if err := open.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !hasUserIndex(t, s) {
		t.Error("no index")
	}
}

// An interrupted build leaves an invalid index, which the next start replaces.
func TestAnInvalidIndexIsReplaced(t *testing.T) {
	t.Parallel()
	s := migrated(t, server.Database(t), Options{})
	execute(t, s, `UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'fanfare_deliveries_user'::regclass`)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !hasUserIndex(t, s) {
		t.Error("no valid index")
	}
}
