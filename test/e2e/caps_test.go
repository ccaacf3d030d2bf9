package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// Two campaigns to the same users run at once, a dispatcher is stopped in the middle, and others
// finish. FCM accepts exactly one push for each user. Pushes that failed before do not count.
func TestCapsAcrossCampaigns(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{Env: []string{"FANFARE_CAPS_LIMITS=1 in 1d", "FANFARE_BREAKER_ENABLED=false"}})
	const users, failing = 500, 20
	create := func(id string, list []element) {
		t.Helper()
		if err := s.Redis.HSet(t.Context(), "{campaign:"+id+"}:spec", "message", `{"notification":{"title":"Hello"}}`, "state", "running").Err(); err != nil {
			t.Fatal(err)
		}
		push(t, s, id, list)
	}
	audience := func(token string, n int) (list []element) {
		for i := range n {
			list = append(list, element{raw: fmt.Sprintf(`{"userId":"u%d","fcmToken":"%s-u%[1]d"}`, i, token)})
		}
		return list
	}
	create("40", audience("dead", failing))
	s.Job("40").ExpectExit(0)

	create("41", audience("ok", users))
	create("42", audience("ok", users))
	stopped := s.Start(nil, "dispatcher")
	s.Eventually("pushes of both campaigns", func() bool { return len(s.Sim.Ledger()) > failing+users/10 })
	stopped.Signal(syscall.SIGTERM)
	stopped.ExpectExit(0)
	one, other := s.Job("41"), s.Job("42")
	one.ExpectExit(0)
	other.ExpectExit(0)
	responder := s.Start(nil, "responder")
	servers.AwaitSummary(t, db, "41", users)
	servers.AwaitSummary(t, db, "42", users)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)

	ledger := s.Sim.Ledger()
	for i := range users {
		if token := fmt.Sprintf("ok-u%d", i); len(ledger[token]) != 1 {
			t.Errorf("%s got %d pushes, want one", token, len(ledger[token]))
		}
	}
	var sent, capped int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FILTER (WHERE status = 'sent'), count(*) FILTER (WHERE error_code = 'CAPPED')
		FROM fanfare_deliveries`).Scan(&sent, &capped); err != nil {
		t.Fatal(err)
	}
	if sent != users || capped != users {
		t.Errorf("SQL has %d sent and %d capped, want %d each", sent, capped, users)
	}
	for _, c := range []struct{ args, want string }{
		{"campaign show 41", "CAPPED"}, {"user show u7", "1 in 1d: 1 used; the next push may go at"},
		{"user show absent", "1 in 1d: 0 used"},
	} {
		if shown := oneLine(s.Fanfare(strings.Fields(c.args)...)); !strings.Contains(shown, c.want) {
			t.Errorf("%s says nothing of %q:\n%s", c.args, c.want, shown)
		}
	}
}
