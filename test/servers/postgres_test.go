package servers

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestPostgresTakesConnectionsAndCommitsSynchronously(t *testing.T) {
	conn, err := pgx.Connect(t.Context(), Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	var setting string
	if err := conn.QueryRow(t.Context(), "SHOW synchronous_commit").Scan(&setting); err != nil {
		t.Fatal(err)
	}
	if setting != "on" {
		t.Errorf("synchronous_commit is %q, want on", setting)
	}
}

func TestPostgresDatabasesAreSeparate(t *testing.T) {
	server, err := StartPostgres(PostgresOptions{Fsync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	first, err := pgx.Connect(t.Context(), server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close(t.Context())
	second, err := pgx.Connect(t.Context(), server.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close(t.Context())
	if _, err := first.Exec(t.Context(), "CREATE TABLE only_here (id int)"); err != nil {
		t.Fatal(err)
	}
	var elsewhere *string
	if err := second.QueryRow(t.Context(), "SELECT to_regclass('only_here')::text").Scan(&elsewhere); err != nil {
		t.Fatal(err)
	}
	if elsewhere != nil {
		t.Error("a table made in one database is found in another")
	}
}

func TestPostgresStopEndsTheServer(t *testing.T) {
	server, err := StartPostgres(PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if conn, err := pgx.Connect(t.Context(), server.URL("postgres")); err == nil {
		_ = conn.Close(t.Context())
		t.Error("the server takes connections after Stop")
	}
}

func TestPgBouncerSharesServerConnections(t *testing.T) {
	through := PgBouncer(t, Postgres(t), "pool_mode = transaction", "default_pool_size = 1")
	var backends [2]int
	for i := range backends {
		conn, err := pgx.Connect(t.Context(), through)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if err := conn.QueryRow(t.Context(), "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&backends[i]); err != nil {
			t.Fatal(err)
		}
	}
	if backends[0] != backends[1] {
		t.Errorf("two clients were served by the backends %v, want one", backends)
	}
}
