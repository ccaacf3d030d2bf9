package store

import (
	"sync"
	"testing"
)

// Replicas that start together each open the database and migrate it.
func TestReplicasMigrateTogether(t *testing.T) {
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			var starting sync.WaitGroup
			for range 8 {
				starting.Go(func() {
					s, err := Open(t.Context(), url, DefaultOptions())
					if err != nil {
						t.Error(err)
						return
					}
					if err := s.Migrate(t.Context()); err != nil {
						t.Error(err)
					}
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			starting.Wait()
			s := opened(t, url, Options{})
			var versions, distinct int
			err := s.db.QueryRowContext(t.Context(), `SELECT count(*), count(DISTINCT version_id) FROM fanfare_schema_version`).Scan(&versions, &distinct)
			if err != nil || versions < 2 || versions != distinct {
				t.Errorf("%d versions were written, %d distinct (%v)", versions, distinct, err)
			}
			apply(t, s, outcome("42", "u", "1", "sent"))
			checkSummary(t.Context(), t, s, "42")
		})
	}
}

func TestMigratingAgainKeepsTheRows(t *testing.T) {
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

// A migration that fails half way must leave nothing behind, or the next start would stumble over it.
func TestAFailedMigrationLeavesNothing(t *testing.T) {
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
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		if _, err := s.db.ExecContext(t.Context(), `SELECT 1 FROM goose_db_version`); err == nil {
			t.Error("goose_db_version exists")
		}
	})
}
