package e2e

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestStatementsAreProvenAtTheStart has statements that can find no one. A Job would wait for ever;
// it exits 2 and shows one that works. fanfare check says the same.
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
		if check.Wait() == 0 || !strings.Contains(string(check.Stdout()), "store.token_query") {
			t.Errorf("%s: the check found nothing: %s", statement, check.Stdout())
		}
	}
	responder := s.Start(nil, "responder")
	if code := responder.Wait(); code != 2 || !strings.Contains(responder.Log(), "store.token_clear: off") {
		t.Errorf("the responder exited %d saying %s, want 2", code, responder.Log())
	}
	s.Job("42", "FANFARE_STORE_TOKEN_QUERY=off", "FANFARE_STORE_PROFILE_QUERY=off").ExpectExit(0)
}

// TestResponderWaitsForItsDatabase starts a responder while PostgreSQL is away. It waits, ends at
// once when told to, and continues by itself when PostgreSQL is back.
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
		responder.AwaitLog("database is unusable")
		responder.Signal(syscall.SIGTERM)
		responder.ExpectExit(0)
	}
	responder := s.Start(nil, "responder")
	responder.AwaitLog("database is unusable")
	if err := database.Resume(); err != nil {
		t.Fatal(err)
	}
	responder.AwaitLog("database is usable")
	s.Campaign("42", audience(10))
	s.Job("42").ExpectExit(0)
	servers.AwaitSummary(t, db, "42", 10)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
}

// TestStatementBreaksInMidRun removes the table of users while a campaign runs. The campaign is
// paused with that reason, which the Job exits with. It continues once the table is back and a
// person resumes it.
func TestStatementBreaksInMidRun(t *testing.T) {
	t.Parallel()
	const n = 2000
	s, db := newSystem(t, servers.SystemOptions{Simulator: []string{"--latency", "20ms"}, Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=50"}})
	execute(t, db, `INSERT INTO users SELECT 'user-' || i, 'ok-' || i FROM generate_series(1, $1) AS i`, n)
	lines := []string{"userId"}
	for i := range n {
		lines = append(lines, fmt.Sprint("user-", i+1))
	}
	s.Campaign("42", strings.Join(lines, "\n")+"\n")
	job := s.Job("42")
	s.Sim.AwaitAccepted(100)
	execute(t, db, `ALTER TABLE users RENAME TO customers`)
	job.ExpectExit(4)
	if view := s.Show("42"); view.State != "paused" || !strings.Contains(view.Reason, "store.token_query") || !strings.Contains(view.Reason, "users") {
		t.Errorf("the campaign is %s for %q, want paused for store.token_query", view.State, view.Reason)
	}
	if lines := strings.Count(job.Log(), "store.token_query"); lines > 5 {
		t.Errorf("the Job spoke of the statement in %d lines", lines)
	}
	execute(t, db, `ALTER TABLE customers RENAME TO users`)
	s.Fanfare("campaign", "resume", "42")
	s.Job("42").ExpectExit(0)
	checkOnce(t, s, n)
}

// grants are the statements of docs/contract.md for the role of the daemons.
func grants(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/contract.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(page), "```sql\nCREATE ROLE")
	block, _, closed := strings.Cut(after, "```")
	if !found || !closed {
		t.Fatal("docs/contract.md has no block that begins with CREATE ROLE")
	}
	return strings.Split("CREATE ROLE"+strings.TrimRight(block, "\n"), "\n")
}

// TestLeastPrivilege runs both daemons as the role of docs/contract.md, straight and through
// PgBouncer. Without one of its permissions a program exits 3 before it takes anything.
func TestLeastPrivilege(t *testing.T) {
	t.Parallel()
	const n = 50
	database, err := servers.StartPostgres(servers.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	url := database.Database(t)
	admin := application(t, "pgx", url)
	for _, statement := range grants(t) {
		execute(t, admin, statement)
	}
	execute(t, admin, `INSERT INTO users SELECT i, CASE WHEN i % 5 = 0 THEN 'dead-' ELSE 'ok-' END || i FROM generate_series(1, $1) AS i`, n)
	as := strings.Replace(url, "postgres@", "fanfare:choose-one@", 1)
	s := servers.NewSystem(t, programs, servers.SystemOptions{Database: as})
	lines := []string{"userId"}
	for i := range n {
		lines = append(lines, fmt.Sprint(i+1))
	}
	s.Campaign("42", strings.Join(lines, "\n")+"\n")

	responder := s.Start(nil, "responder")
	responder.AwaitLog(`"msg":"ready"`)
	s.Start(nil, "fanfare", "check").ExpectExit(0)
	s.Job("42", "DATABASE_URL="+servers.PgBouncer(t, as, "pool_mode = transaction")).ExpectExit(0)
	servers.Eventually(t, "all rows are in SQL, and no dead token", func() bool {
		var rows, dead int
		err := admin.QueryRowContext(t.Context(), `SELECT (SELECT count(*) FROM fanfare.fanfare_deliveries),
			(SELECT count(*) FROM public.users WHERE fcm_token LIKE 'dead-%')`).Scan(&rows, &dead)
		return err == nil && rows == n && dead == 0
	})
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)

	for revoked, program := range map[string]string{
		"SELECT (id) ON public.users":        "dispatcher",
		"UPDATE (fcm_token) ON public.users": "responder",
	} {
		execute(t, admin, "REVOKE "+revoked+" FROM fanfare")
		p := s.Start(nil, program)
		if code := p.Wait(); code != 3 || !strings.Contains(p.Log(), "permission denied for table users") || !strings.Contains(p.Log(), "store.token_") {
			t.Errorf("without %s, the %s exited %d saying %s, want 3 and the setting", revoked, program, code, p.Log())
		}
		execute(t, admin, "GRANT "+revoked+" TO fanfare")
	}
	for _, statement := range []string{`DROP SCHEMA fanfare CASCADE`, `CREATE SCHEMA fanfare`, `GRANT USAGE ON SCHEMA fanfare TO fanfare`} {
		execute(t, admin, statement)
	}
	check := s.Start(nil, "fanfare", "check")
	if check.Wait() == 0 || !strings.Contains(oneLine(check.Stdout()), "permission denied for schema fanfare") {
		t.Errorf("a check did not find that our tables cannot be made: %s", check.Stdout())
	}
	s.Start(nil, "responder").ExpectExit(3)
}
