package e2e

import (
	"database/sql"
	"fmt"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestThroughPgBouncer serves a campaign whose tokens are in SQL through PgBouncer in transaction
// mode, which shares two server connections. Nothing is configured for it, and the application's
// schema comes with the URL.
func TestThroughPgBouncer(t *testing.T) {
	t.Parallel()
	const n = 3000
	url := postgres.Database(t)
	pooled := servers.PgBouncer(t, url, "pool_mode = transaction", "default_pool_size = 2")
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Database: pooled + "&search_path=app,public", Env: []string{"FANFARE_RESPONDER_BATCH=100"},
	})
	db := application(t, "pgx", inSchema(t, url, "app"))
	execute(t, db, `INSERT INTO users SELECT 'user-' || i, CASE WHEN i % 10 = 0 THEN 'dead-' ELSE 'ok-' END || i FROM generate_series(1, $1) AS i`, n)
	audience := strings.Builder{}
	audience.WriteString("userId\n")
	for i := range n {
		fmt.Fprintf(&audience, "user-%d\n", i+1)
	}
	responders := []*servers.Process{s.Start(nil, "responder"), s.Start(nil, "responder")}
	for _, responder := range responders {
		responder.AwaitLog(`"msg":"ready"`)
	}
	s.Campaign("42", audience.String())
	jobs := []*servers.Process{s.Job("42"), s.Job("42")}
	for _, job := range jobs {
		job.ExpectExit(0)
	}
	want := servers.Outcomes{Sent: n - n/10, Failed: n / 10}
	if summary := servers.AwaitSummary(t, db, "42", n); summary != want || s.Show("42").Books.Outcomes != want {
		t.Errorf("summary %+v, books %+v, want %+v", summary, s.Show("42").Books, want)
	}
	var left int
	if err := db.QueryRowContext(t.Context(), `SELECT count(fcm_token) FROM users WHERE fcm_token LIKE 'dead-%'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d dead tokens are left in SQL (%v)", left, err)
	}
	for _, responder := range responders {
		responder.Signal(syscall.SIGTERM)
		responder.ExpectExit(0)
	}
	for _, p := range append(jobs, responders...) {
		if log := p.Log(); strings.Contains(log, "trying again") || strings.Contains(log, "retrying") || strings.Contains(log, "halted") || strings.Contains(log, "wait") {
			t.Errorf("a call failed through the pooler:\n%s", log)
		}
	}
}

// inSchema makes a schema and returns the database's URL with it.
func inSchema(t *testing.T, url, schema string) string {
	t.Helper()
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	execute(t, db, `CREATE SCHEMA `+schema)
	return url + "&search_path=" + schema
}
