package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestDatabaseDown takes the database away during a campaign. Those whose token is in SQL
// wait, and so do those whose token proves dead while SQL may have another; the others continue, no
// one is skipped; and the responder keeps what it cannot write.
func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	const n, stale = 300, 20 // the stale ones come last
	database, err := servers.StartPostgres(servers.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	url := database.Database(t)
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Database: url, Simulator: []string{"--latency", "50ms"},
		// Those who wait for SQL come back in a fraction of a second here: they would take all
		// places in a canary.
		Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=10", "FANFARE_BREAKER_CANARY=0"},
	})
	db := application(t, "pgx", url)
	lines := []string{"userId,fcmToken"}
	for i := range n {
		user := fmt.Sprintf("user-%06d", i)
		switch {
		case i >= n-stale:
			lines = append(lines, user+",dead-"+user)
		case i%2 == 0:
			lines = append(lines, user+",ok-"+user)
			continue
		default:
			lines = append(lines, user+",")
		}
		execute(t, db, `INSERT INTO users (id, fcm_token) VALUES ($1, $2)`, user, "ok-"+user)
	}
	s.Campaign("42", strings.Join(lines, "\n")+"\n")

	responder := s.Start([]string{"FANFARE_HTTP_RESPONDER=127.0.0.1:0"}, "responder")
	responder.AwaitLog(`"msg":"ready"`)
	job := s.Job("42")
	s.Sim.AwaitAccepted(30)
	database.Halt()
	servers.Eventually(t, "all whose token is at hand are sent to", func() bool {
		reached, refused := atHand(s.Sim.Ledger())
		return reached == (n-stale)/2 && refused == stale
	})
	if view := s.Show("42"); view.Books.Ended() != view.Books.Sent || view.Books.Sent == n || view.State != "running" {
		t.Errorf("while the database is down, the campaign is %+v, want those without a token at hand to wait", view)
	}
	if status, said := ask(t, responder, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(said, "database") {
		t.Errorf("the responder says %d %s, want that the database is down", status, said)
	}
	if status, said := ask(t, responder, "/livez"); status != http.StatusOK {
		t.Errorf("the responder says %d %s, but restarting it mends no database", status, said)
	}

	if err := database.Resume(); err != nil {
		t.Fatal(err)
	}
	job.ExpectExit(0)
	if strings.Contains(job.Log(), "dead-user") {
		t.Error("a token is in the log in full")
	}
	checkOnce(t, s, n)
	summary := servers.AwaitSummary(t, db, "42", n)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
	want := servers.Outcomes{Sent: n}
	if rows := servers.CountByStatus(servers.Deliveries(t, db, "42")); rows != want || summary != want || s.Show("42").Books.Outcomes != want {
		t.Errorf("rows %+v, summary %+v, books %+v: want %+v", rows, summary, s.Show("42").Books, want)
	}
}

// atHand counts the tokens that were in the audience: those reached, of users with an even number,
// and those that FCM refused as dead, which the ledger does not name.
func atHand(ledger map[string][]servers.LedgerEntry) (reached, refused int) {
	for token := range ledger {
		if token != "" && strings.ContainsAny(token[len(token)-1:], "02468") {
			reached++
		}
	}
	return reached, len(ledger[""])
}

// TestStoppedWhileMigrating stops a responder that has not begun yet, as another replica migrates:
// no fault to restart for.
func TestStoppedWhileMigrating(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{})
	first := s.Start(nil, "responder")
	first.AwaitLog(`"msg":"ready"`)
	first.Signal(syscall.SIGTERM)
	first.ExpectExit(0)

	migration, err := db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = migration.Rollback() }()
	if _, err := migration.ExecContext(t.Context(), `LOCK TABLE fanfare_schema_version`); err != nil {
		t.Fatal(err)
	}
	second := s.Start(nil, "responder")
	servers.Eventually(t, "the responder waits for the migration", func() bool {
		var waiting int
		err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`).Scan(&waiting)
		return err == nil && waiting > 0
	})
	second.Signal(syscall.SIGTERM)
	second.ExpectExit(0)
}
