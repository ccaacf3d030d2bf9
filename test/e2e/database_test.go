package e2e

import (
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestStatementsAreProvenAtTheStart has statements that can find no one. A Job would wait for ever; it exits 2 and shows one that
// works. fanfare check says the same.
func TestStatementsAreProvenAtTheStart(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{})
	s.Campaign("42", "userId\nu\n")
	execute(t, db, `ALTER TABLE users RENAME TO people`)
	const form = "SELECT id, fcm_token FROM users WHERE id = ANY($1)"
	for statement, says := range map[string]string{
		"default": `relation \"users\" does not exist`,
		"SELECT fcm_token FROM people WHERE id = ANY($1)":      "returns one column",
		"SELECT id, fcm_token FROM people WHERE id IN ($1)":    "takes one id",
		"SELECT fcm_token, id FROM people WHERE id = ANY($1)":  "before the id",
		"SELECT id, push_token FROM people WHERE id = ANY($1)": "push_token",
	} {
		env := []string{"FANFARE_STORE_TOKEN_QUERY=" + statement, "FANFARE_STORE_PROFILE_QUERY=off"}
		job := s.Job("42", env...)
		if code := job.Wait(); code != 2 || !strings.Contains(job.Log(), says) || !strings.Contains(job.Log(), form) || !strings.Contains(job.Log(), "store.token_query: off") {
			t.Errorf("%s: the Job exited %d saying %s, want 2, %q and a statement that works", statement, code, job.Log(), says)
		}
		check := s.Start(env, "fanfare", "check")
		if check.Wait() == 0 || !strings.Contains(string(check.Printed()), "store.token_query") {
			t.Errorf("%s: the check found nothing: %s", statement, check.Printed())
		}
	}
	responder := s.Start(nil, "responder")
	if code := responder.Wait(); code != 2 || !strings.Contains(responder.Log(), "store.token_clear: off") {
		t.Errorf("the responder exited %d saying %s, want 2", code, responder.Log())
	}
	s.Job("42", "FANFARE_STORE_TOKEN_QUERY=off", "FANFARE_STORE_PROFILE_QUERY=off").Exits(0)
}

// TestResponderWaitsForItsDatabase starts a responder while PostgreSQL is away. It waits, ends at once when told to, and goes on by
// itself when PostgreSQL is back.
func TestResponderWaitsForItsDatabase(t *testing.T) {
	t.Parallel()
	database, err := servers.StartPostgres(servers.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	url := database.Database(t)
	s := servers.NewSystem(t, programs, servers.SystemOptions{Database: url})
	db := application(t, "pgx", url)
	database.Halt()
	for range 2 {
		responder := s.Start(nil, "responder")
		responder.AwaitLog("database cannot be used")
		responder.Signal(syscall.SIGTERM)
		responder.Exits(0)
	}
	responder := s.Start(nil, "responder")
	responder.AwaitLog("database cannot be used")
	if err := database.Resume(); err != nil {
		t.Fatal(err)
	}
	responder.AwaitLog("database can be used")
	s.Campaign("42", audience(10))
	s.Job("42").Exits(0)
	servers.AwaitSummary(t, db, "42", 10)
	responder.Signal(syscall.SIGTERM)
	responder.Exits(0)
}
