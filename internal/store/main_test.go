package store

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"

	"fanfare/test/servers"
)

// server is shared by all tests of the package; each uses a database of its own. pooler is a
// PgBouncer in front of it.
var (
	server *servers.PostgresServer
	pooler *servers.PgBouncerServer
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if server, err = servers.StartPostgres(servers.PostgresOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.Stop()
	pooler, err = servers.StartPgBouncer(server.URL("postgres"), "pool_mode = transaction", "default_pool_size = 2", "max_client_conn = 1000")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer pooler.Stop()
	if code := m.Run(); code != 0 {
		return code
	}
	pooler.Stop()
	server.Stop()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// onBoth runs a test on a new, migrated database of each kind, and on PostgreSQL also through the
// pooler.
func onBoth(t *testing.T, o Options, test func(t *testing.T, s *Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, migrated(t, sqliteURL(t), o)) })
	t.Run("postgres", func(t *testing.T) { test(t, migrated(t, server.Database(t), o)) })
	t.Run("pgbouncer", func(t *testing.T) { test(t, migrated(t, pooler.URL(server.Database(t)), o)) })
}

func sqliteURL(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "fanfare.db")
}

func opened(t testing.TB, url string, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func migrated(t testing.TB, url string, o Options) *Store {
	t.Helper()
	s := opened(t, url, o)
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// execute runs an application's statements.
func execute(t testing.TB, s *Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := plain(t, s).ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func onPostgres(s *Store) bool {
	_, yes := s.backend.(*postgres)
	return yes
}

// plain opens the store's database as an application does.
func plain(t testing.TB, s *Store) *sql.DB {
	t.Helper()
	if f, ok := s.backend.(*sqliteFile); ok {
		return f.readers
	}
	db := stdlib.OpenDBFromPool(s.backend.(*postgres).pool)
	t.Cleanup(func() { _ = db.Close() })
	return db
}
