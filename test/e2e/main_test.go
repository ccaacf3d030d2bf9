// Package e2e tests the whole system as its users run it: the real programs, over a real
// redis-server and a real database, with FCM's simulator over TLS.
package e2e

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"fanfare/test/servers"
)

// What takes seconds to make is made once: the programs, and a PostgreSQL in which each test has a
// database of its own.
var (
	programs *servers.Programs
	postgres *servers.PostgresServer
)

func TestMain(m *testing.M) { servers.Main(m, &programs, &postgres) }

// newSystem starts a system over the shared PostgreSQL, in which the application keeps its users.
func newSystem(t *testing.T, o servers.SystemOptions) (*servers.System, *sql.DB) {
	t.Helper()
	o.Database = postgres.Database(t)
	o.Env = append(o.Env, "FANFARE_STORE_PROFILE_QUERY=SELECT id, profile FROM users WHERE id = ANY($1)")
	return servers.NewSystem(t, programs, o), application(t, "pgx", o.Database)
}

// newSQLiteSystem is the same with a file.
func newSQLiteSystem(t *testing.T, o servers.SystemOptions) (*servers.System, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fanfare.db")
	o.Database = "sqlite:" + path
	o.Env = append(o.Env, "FANFARE_STORE_PROFILE_QUERY=SELECT id, profile FROM users WHERE id IN (SELECT value FROM json_each($1))")
	return servers.NewSystem(t, programs, o), application(t, "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)")
}

// application opens the database as the application does, which has its table of users in it.
func application(t *testing.T, driver, url string) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	execute(t, db, `CREATE TABLE users (id text PRIMARY KEY, fcm_token text, profile text)`)
	return db
}

func execute(t *testing.T, db *sql.DB, statement string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// oneLine joins what the command line has wrapped for a terminal.
func oneLine(printed []byte) string { return strings.Join(strings.Fields(string(printed)), " ") }
