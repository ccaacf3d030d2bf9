package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestDatabaseDown takes the database away in the midst of a campaign. Those whose token is in SQL wait, the others go
// on, nobody is skipped; and the responder keeps what it cannot write.
func TestDatabaseDown(t *testing.T) {
	t.Parallel()
	const n = 300
	database, err := servers.StartPostgres(servers.PostgresOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(database.Stop)
	url := database.Database(t)
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Database: url, Simulator: []string{"--latency", "50ms"}, Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=10"},
	})
	db := application(t, "pgx", url)
	lines := []string{"userId,fcmToken"}
	for i := range n {
		user := fmt.Sprintf("user-%06d", i)
		if i%2 == 0 {
			lines = append(lines, user+",ok-"+user)
			continue
		}
		lines = append(lines, user+",")
		execute(t, db, `INSERT INTO users (id, fcm_token) VALUES ($1, $2)`, user, "ok-"+user)
	}
	s.Campaign("42", strings.Join(lines, "\n")+"\n")

	responder := s.Start([]string{"FANFARE_HTTP_RESPONDER=127.0.0.1:0"}, "responder")
	responder.AwaitLog(`"msg":"ready"`)
	job := s.Job("42")
	s.Sim.Accepted(30)
	database.Halt()
	servers.Eventually(t, "all whose token is at hand are sent to", func() bool { return reachable(s.Sim.Ledger()) == n/2 })
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
	job.Exits(0)
	checkOnce(t, s, n)
	summary := servers.AwaitSummary(t, db, "42", n)
	responder.Signal(syscall.SIGTERM)
	responder.Exits(0)
	want := servers.Outcomes{Sent: n}
	if rows := servers.Counted(servers.Deliveries(t, db, "42")); rows != want || summary != want || s.Show("42").Books.Outcomes != want {
		t.Errorf("rows %+v, summary %+v, books %+v: want %+v", rows, summary, s.Show("42").Books, want)
	}
}

// reachable counts the users with an even number, whose token was in the audience, that have been sent to.
func reachable(ledger map[string][]servers.LedgerEntry) (users int) {
	for token := range ledger {
		if strings.ContainsAny(token[len(token)-1:], "02468") {
			users++
		}
	}
	return users
}
