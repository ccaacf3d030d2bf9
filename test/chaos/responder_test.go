package chaos

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestResponderKilled kills a responder again and again while it writes. Every result is in SQL
// once, every dead token is cleared, and every failure has one dead letter.
func TestResponderKilled(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{Env: []string{"FANFARE_RESPONDER_BATCH=20"}})
	register(t, db, recipients)
	s.Campaign("42", audience(recipients))
	s.Job("42").ExpectExit(0)
	for _, moment := range moments(t, kills, recipients/2) {
		responder := s.Start(nil, "responder")
		servers.AwaitSummary(t, db, "42", moment)
		responder.Signal(syscall.SIGKILL)
		responder.ExpectExit(-1)
	}
	responder := s.Start(nil, "responder")
	checkRows(t, db, recipients)
	awaitResults(t, s)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)

	var left int64
	if err := db.QueryRowContext(t.Context(), `SELECT count(fcm_token) FROM users`).Scan(&left); err != nil {
		t.Fatal(err)
	}
	want := outcomes(recipients)
	if left != want.Sent {
		t.Errorf("%d users have a token in SQL, want %d", left, want.Sent)
	}
	var letters struct{ Total int64 }
	if err := json.Unmarshal(s.Fanfare("dead", "list", "--json"), &letters); err != nil {
		t.Fatal(err)
	}
	if letters.Total != want.Failed {
		t.Errorf("%d dead letters, want %d", letters.Total, want.Failed)
	}
}

// register stores the audience's tokens in the application's table.
func register(t *testing.T, db *sql.DB, n int) {
	t.Helper()
	_, err := db.ExecContext(t.Context(), `INSERT INTO users (id, fcm_token)
		SELECT 'user-' || lpad(i::text, 6, '0'), CASE WHEN i % 10 = 9 THEN 'dead-' ELSE 'ok-' END || lpad(i::text, 6, '0')
		FROM generate_series(0, $1::int - 1) AS i`, n)
	if err != nil {
		t.Fatalf("register users: %v", err)
	}
}

// awaitResults waits until no result is left for the responder: what a killed one held comes back
// when its lease ends.
func awaitResults(t *testing.T, s *servers.System) {
	t.Helper()
	const list = "notification:responses"
	servers.Eventually(t, "no result is left in Redis", func() bool {
		left, err := s.Redis.Exists(t.Context(), list, fmt.Sprintf("{%s}:back", list), fmt.Sprintf("{%s}:leases", list)).Result()
		if err != nil {
			t.Fatal(err)
		}
		return left == 0
	})
}
