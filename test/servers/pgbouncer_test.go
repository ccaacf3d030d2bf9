package servers

import (
	"testing"

	"github.com/jackc/pgx/v5"
)

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
