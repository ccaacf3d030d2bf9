package chaos

import (
	"database/sql"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestDatabaseCrashes crashes PostgreSQL again and again while results are written. The responder
// continues by itself, and a commit whose confirmation was lost is not counted twice.
func TestDatabaseCrashes(t *testing.T) {
	t.Parallel()
	database, err := servers.StartPostgres(servers.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	url := database.Database(t)
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Database: url, Env: []string{"FANFARE_RESPONDER_BATCH=20", "FANFARE_STORE_TOKEN_QUERY=off", "FANFARE_STORE_TOKEN_CLEAR=off"},
	})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s.Campaign("42", audience(recipients))
	s.Job("42").ExpectExit(0)
	responder := s.Start(nil, "responder")
	for _, moment := range moments(t, kills, recipients/2) {
		servers.AwaitSummary(t, db, "42", moment)
		database.Halt()
		if err := database.Resume(); err != nil {
			t.Fatal(err)
		}
	}
	checkRows(t, db, recipients)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
	checkBooks(t, s, recipients)
}
