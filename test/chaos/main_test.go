// Package chaos ends the real programs at random moments and drops replies of Redis. Then it
// compares what FCM accepted, the books and SQL with the audience.
package chaos

import (
	"database/sql"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"

	"fanfare/test/servers"
)

var (
	programs *servers.Programs
	postgres *servers.PostgresServer

	seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the random moments, to repeat a run")
)

func TestMain(m *testing.M) {
	flag.Parse()
	servers.Main(m, &programs, &postgres)
}

// newSystem starts a system over a database of its own, in which the application keeps users with
// their tokens.
func newSystem(t *testing.T, o servers.SystemOptions) (*servers.System, *sql.DB) {
	t.Helper()
	o.Database = postgres.Database(t)
	db, err := sql.Open("pgx", o.Database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.ExecContext(t.Context(), `CREATE TABLE users (id text PRIMARY KEY, fcm_token text)`); err != nil {
		t.Fatal(err)
	}
	return servers.NewSystem(t, programs, o), db
}

// audience is n recipients in CSV. One in ten has a dead token.
func audience(n int) string {
	lines := []string{"userId,fcmToken"}
	for i := range n {
		token := "ok"
		if i%10 == 9 {
			token = "dead"
		}
		lines = append(lines, fmt.Sprintf("user-%06d,%s-%06d", i, token, i))
	}
	return strings.Join(lines, "\n") + "\n"
}

// outcomes are what must become of an audience of n.
func outcomes(n int64) servers.Outcomes { return servers.Outcomes{Sent: n - n/10, Failed: n / 10} }

// moments draws so many moments of a campaign, as how many recipients are done by then.
func moments(t *testing.T, times int, n int64) []int64 {
	t.Helper()
	t.Logf("seed %d", *seed)
	random := rand.New(rand.NewPCG(*seed, 0))
	drawn := make([]int64, times)
	for i := range drawn {
		drawn[i] = 1 + random.Int64N(n)
	}
	slices.Sort(drawn)
	return drawn
}

// checkBooks wants the campaign to be drained with everyone in the right place.
func checkBooks(t *testing.T, s *servers.System, n int64) {
	t.Helper()
	if view := s.Show("42"); view.State != "completed" || view.Books.Outcomes != outcomes(n) {
		t.Errorf("the campaign ended as %+v, want completed with %+v", view, outcomes(n))
	}
}

// checkRows wants one row for each of n recipients, and the summary to agree.
func checkRows(t *testing.T, db *sql.DB, n int64) {
	t.Helper()
	summary := servers.AwaitSummary(t, db, "42", n)
	deliveries := servers.Deliveries(t, db, "42")
	users := make(map[string]bool)
	for _, d := range deliveries {
		users[d.User] = true
	}
	if rows := servers.CountByStatus(deliveries); rows != outcomes(n) || summary != rows || int64(len(users)) != n {
		t.Errorf("%d users have the rows %+v, summary %+v: want %+v of %d", len(users), rows, summary, outcomes(n), n)
	}
}
