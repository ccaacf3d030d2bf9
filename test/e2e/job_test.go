package e2e

import (
	"database/sql"
	"encoding/json"
	"maps"
	"slices"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestFirstCommands runs the first commands that a user types, on each kind of Redis and of
// database.
func TestFirstCommands(t *testing.T) {
	for name, start := range map[string]func(*testing.T) (*servers.System, *sql.DB){
		"Redis and PostgreSQL": func(t *testing.T) (*servers.System, *sql.DB) {
			return newSystem(t, servers.SystemOptions{})
		},
		"Redis and SQLite": func(t *testing.T) (*servers.System, *sql.DB) {
			return newSQLiteSystem(t, servers.SystemOptions{})
		},
		"Valkey and SQLite": func(t *testing.T) (*servers.System, *sql.DB) {
			return newSQLiteSystem(t, servers.SystemOptions{Redis: []string{servers.Valkey(t, "--appendonly", "yes")}})
		},
		"Redis Cluster and PostgreSQL": func(t *testing.T) (*servers.System, *sql.DB) {
			return newSystem(t, servers.SystemOptions{Redis: servers.RedisCluster(t)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, db := start(t)
			firstCommands(t, s, db)
		})
	}
}

func firstCommands(t *testing.T, s *servers.System, db *sql.DB) {
	audience := s.File("audience.csv", populate(t, s, db))

	s.Fanfare("campaign", "create", "42", "--message", "../../examples/message.json")
	checkLoad(t, s.Fanfare("load", "42", audience, "--json"))
	s.Fanfare("campaign", "start", "42")
	// An audience that holds every outcome there is would trip any breaker.
	job := s.Job("42", "LOG_LEVEL=debug", "FANFARE_BREAKER_ENABLED=false")
	job.ExpectExit(0)
	checkLog(t, job)
	checkLedger(t, s.Sim.Ledger())

	refresh(t, db)
	responder := s.Start([]string{"LOG_LEVEL=debug"}, "responder")
	summary := servers.AwaitSummary(t, db, "42", int64(castSize()))
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
	checkLog(t, responder)

	deliveries := servers.Deliveries(t, db, "42")
	checkDeliveries(t, deliveries)
	checkTokens(t, s, db)
	checkDeadLetters(t, s)
	view := s.Show("42")
	if view.State != "completed" || view.Books.Loaded != int64(castSize()) || view.Books.Ended() != int64(castSize()) || view.Books.Outbox != 0 {
		t.Errorf("the campaign ended as %+v, want completed with all of %d", view, castSize())
	}
	if rows := servers.CountByStatus(deliveries); view.Books.Outcomes != rows || summary != rows {
		t.Errorf("books %+v, rows %+v, summary %+v: want all the same", view.Books.Outcomes, rows, summary)
	}
}

// checkLoad reads the summary of a load of which two lines were no recipients.
func checkLoad(t *testing.T, printed []byte) {
	t.Helper()
	var summary struct {
		Loaded, Rejected int
		Errors           []struct{ Line int }
	}
	if err := json.Unmarshal(printed, &summary); err != nil {
		t.Fatalf("read the summary %s: %v", printed, err)
	}
	last := castSize() + 1 // behind the header
	if summary.Loaded != castSize() || summary.Rejected != 2 || len(summary.Errors) != 2 ||
		summary.Errors[0].Line != last+1 || summary.Errors[1].Line != last+2 {
		t.Errorf("loaded %+v, want %d and the lines %d and %d rejected", summary, castSize(), last+1, last+2)
	}
}

// checkDeadLetters wants a letter for everyone who failed, and for no one else.
func checkDeadLetters(t *testing.T, s *servers.System) {
	t.Helper()
	got := make(map[string]string)
	for _, letter := range deadLetters(t, s, "--campaign", "42") {
		if _, twice := got[letter.Result.UserID]; twice {
			t.Errorf("user %s has more than one dead letter", letter.Result.UserID)
		}
		got[letter.Result.UserID] = letter.Result.ErrorCode
	}
	want := make(map[string]string)
	for user, p := range everybody() {
		if p.status == "failed" {
			want[user] = p.code
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("dead letters of %v, want of %v", slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

// deadLetter is one entry of "fanfare dead list --json".
type deadLetter struct {
	Kind, Reason string
	Raw          []byte
	Result       struct{ UserID, Status, ErrorCode string }
}

func deadLetters(t *testing.T, s *servers.System, filter ...string) []deadLetter {
	t.Helper()
	var list struct {
		Letters []deadLetter
		Total   int
	}
	printed := s.Fanfare(append([]string{"dead", "list", "--json", "--limit", "10000"}, filter...)...)
	if err := json.Unmarshal(printed, &list); err != nil {
		t.Fatalf("read dead letters %s: %v", printed, err)
	}
	if list.Total != len(list.Letters) {
		t.Errorf("%d dead letters are listed, and %d counted", len(list.Letters), list.Total)
	}
	return list.Letters
}
