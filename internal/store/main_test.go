package store

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"fanfare/test/servers"
)

// server is shared by the package's tests; each takes a database of its own in it.
var server *servers.PostgresServer

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if server, err = servers.StartPostgres(servers.PostgresOptions{}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer server.Stop()
	if code := m.Run(); code != 0 {
		return code
	}
	server.Stop()
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// onBoth runs a test on a fresh, migrated database of each kind.
func onBoth(t *testing.T, o Options, test func(t *testing.T, s *Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, migrated(t, sqliteURL(t), o)) })
	t.Run("postgres", func(t *testing.T) { test(t, migrated(t, server.Database(t), o)) })
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

// execute runs statements of the application's own.
func execute(t testing.TB, s *Store, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := s.db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func onPostgres(s *Store) bool {
	_, yes := s.backend.(*postgres)
	return yes
}
