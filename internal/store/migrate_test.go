package store

import (
	"sync"
	"testing"
)

// Replicas that start together migrate one database, whether it is empty or has an older version.
func TestReplicasMigrateTogether(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			migrateTogether(t, url, 8)
			s := opened(t, url, Options{})
			checkMigrated(t, s, "1")
			unmigrate(t, s)
			migrateTogether(t, url, 8)
			checkMigrated(t, s, "2")
		})
	}
}

func migrateTogether(t *testing.T, url string, replicas int) {
	t.Helper()
	var open, done sync.WaitGroup
	open.Add(replicas)
	for range replicas {
		done.Go(func() {
			s, err := Open(t.Context(), url, DefaultOptions())
			open.Done()
			if err != nil {
				t.Error(err)
				return
			}
			open.Wait()
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
}

// checkMigrated expects each version once and working tables.
func checkMigrated(t *testing.T, s *Store, campaign string) {
	t.Helper()
	var written, distinct int
	err := plain(t, s).QueryRowContext(t.Context(), `SELECT count(*), count(DISTINCT version_id) FROM fanfare_schema_version`).Scan(&written, &distinct)
	if err != nil || written < 2 || written != distinct {
		t.Errorf("%d versions were written, %d distinct (%v)", written, distinct, err)
	}
	apply(t, s, outcome(campaign, "u", "1", "sent"))
	checkSummary(t.Context(), t, s, campaign)
}

// unmigrate leaves a version table that records no migration.
func unmigrate(t *testing.T, s *Store) {
	t.Helper()
	dropTables(t, s)
	execute(t, s, `DELETE FROM fanfare_schema_version WHERE version_id > 0`)
	if onPostgres(s) {
		execute(t, s, `DROP FUNCTION fanfare_count_inserted, fanfare_count_updated, fanfare_count_deleted, fanfare_count_truncated`)
	}
}

// dropTables drops all tables but that of the version.
func dropTables(t *testing.T, s *Store) {
	t.Helper()
	execute(t, s, `DROP TABLE fanfare_delivery_devices`, `DROP TABLE fanfare_deliveries`, dropSummary(s), `DROP TABLE fanfare_minutes`, `DROP TABLE fanfare_codes`)
}

// dropSummary drops the summary, which is a view in SQLite.
func dropSummary(s *Store) string {
	if onPostgres(s) {
		return `DROP TABLE fanfare_campaign_summary`
	}
	return `DROP VIEW fanfare_campaign_summary`
}

func TestMigratingAgainKeepsTheRows(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		apply(t, s, outcome("42", "u", "1", "sent"))
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if summary, err := s.Summary(t.Context(), "42"); err != nil || summary.Total() != 1 {
			t.Errorf("%d outcomes are left (%v)", summary.Total(), err)
		}
	})
}

// Operators that drop Fanfare's tables to start over may leave the trigger functions behind.
func TestMigratingAfterTheTablesWereDropped(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		dropTables(t, s)
		execute(t, s, `DROP TABLE fanfare_schema_version`)
		if err := s.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		apply(t, s, outcome("42", "u", "1", "sent"))
		if summary, err := s.Summary(t.Context(), "42"); err != nil || summary.Total() != 1 {
			t.Errorf("%d outcomes (%v), want 1", summary.Total(), err)
		}
	})
}

// A migration that fails half-way must leave nothing behind, because the next start would fail on
// it.
func TestAFailedMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := opened(t, url, Options{})
			execute(t, s, `CREATE TABLE fanfare_campaign_summary (in_the_way int)`)
			if err := s.Migrate(t.Context()); FaultOf(err) != Halt {
				t.Fatalf("got %v (%v), want a halt", err, FaultOf(err))
			}
			execute(t, s, `DROP TABLE fanfare_campaign_summary`)
			if err := s.Migrate(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// The application may use goose for its own tables in the same database.
func TestTheApplicationsMigrationsAreLeftAlone(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		if _, err := plain(t, s).ExecContext(t.Context(), `SELECT 1 FROM goose_db_version`); err == nil {
			t.Error("goose_db_version exists")
		}
	})
}
