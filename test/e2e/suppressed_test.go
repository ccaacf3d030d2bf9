package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// Suppressed users get nothing, whatever their addresses are. The books and SQL say why.
func TestSuppressedUsers(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{})
	ctx := t.Context()
	if err := s.Redis.SAdd(ctx, "opted-out", "u1", "u3", "u5", "other").Err(); err != nil {
		t.Fatal(err)
	}
	if err := s.Redis.HSet(ctx, "{campaign:42}:spec", "message", `{"notification":{"title":"Hello"}}`, "state", "running").Err(); err != nil {
		t.Fatal(err)
	}
	list := []element{
		{raw: `{"userId":"u3","devices":[{"token":"ok-u3-phone"},{"token":"ok-u3-tablet"}]}`},
		{raw: `{"userId":"u5"}`},
	}
	for i := range 3 {
		list = append(list, element{raw: fmt.Sprintf(`{"userId":"u%d","fcmToken":"ok-u%[1]d"}`, i)})
	}
	push(t, s, "42", list)
	s.Job("42", "FANFARE_NAMES_SUPPRESSED=opted-out").ExpectExit(0)
	responder := s.Start(nil, "responder")
	servers.AwaitSummary(t, db, "42", int64(len(list)))
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)

	ledger := s.Sim.Ledger()
	if len(ledger) != 2 || len(ledger["ok-u0"]) != 1 || len(ledger["ok-u2"]) != 1 {
		t.Errorf("FCM was sent %v, want one push to u0 and u2 each", ledger)
	}
	var suppressed int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM fanfare_deliveries WHERE status = 'skipped' AND error_code = 'SUPPRESSED'").Scan(&suppressed); err != nil {
		t.Fatal(err)
	}
	if suppressed != 3 {
		t.Errorf("SQL has %d suppressed users, want 3", suppressed)
	}
	if shown := string(s.Fanfare("campaign", "show", "42")); !strings.Contains(shown, "SUPPRESSED") {
		t.Errorf("campaign show says nothing of suppressed users:\n%s", shown)
	}
}
