package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestTokensWithLineBreaksInSQL is a table whose tokens came in part from a file with CRLF line
// ends: FCM refuses those as they stand. They are sent without, and nothing is cleared but what is
// dead, as it is spelled there.
func TestTokensWithLineBreaksInSQL(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{})
	const good, broken = 300, 15
	var users []string
	add := func(user, token string) {
		execute(t, db, `INSERT INTO users (id, fcm_token) VALUES ($1, $2)`, user, token)
		users = append(users, user)
	}
	for i := range good + broken {
		end := ""
		if i >= good {
			end = "\r\n"
		}
		add(fmt.Sprintf("u%d", i), fmt.Sprintf("ok-%d%s", i, end))
	}
	add("refused", "invalid-x\r\n") // FCM's bare 400 may be about our reading of it
	add("spaced", "ok two-words")
	add("word", "undefined")
	add("dead", "dead-x\r\n")
	add("deceased", "\"dead-y\"")

	responder := s.Start(nil, "responder")
	s.Campaign("42", "userId\n"+strings.Join(users, "\n"))
	s.Job("42").ExpectExit(0)
	outcomes := servers.AwaitSummary(t, db, "42", int64(len(users)))
	if want := (servers.Outcomes{Sent: good + broken, Failed: 5}); outcomes != want {
		t.Errorf("outcomes %+v, want %+v", outcomes, want)
	}
	codes := map[string]int{}
	for _, d := range servers.Deliveries(t, db, "42") {
		codes[fmt.Sprintf("%s %v", d.Code, d.TokenRemoved)]++
	}
	for code, want := range map[string]int{" false": good + broken, "INVALID_ARGUMENT false": 1, "INVALID_TOKEN false": 2, "UNREGISTERED true": 2} {
		if codes[code] != want {
			t.Errorf("codes %v, want %d of %q", codes, want, code)
		}
	}
	var kept, cleared int
	row := db.QueryRowContext(t.Context(), `SELECT count(fcm_token), count(*) FILTER (WHERE fcm_token IS NULL AND id IN ('dead', 'deceased')) FROM users`)
	if err := row.Scan(&kept, &cleared); err != nil {
		t.Fatal(err)
	}
	if kept != len(users)-2 || cleared != 2 {
		t.Errorf("%d tokens are kept and %d dead ones cleared, want %d and 2", kept, cleared, len(users)-2)
	}
	reached := 0
	for token, entries := range s.Sim.Ledger() {
		accepted := servers.CountAccepted(entries)
		if reached += accepted; accepted > 1 || strings.ContainsAny(token, "\r\n \"") {
			t.Errorf("%q was accepted %d times", token, accepted)
		}
	}
	if reached != good+broken {
		t.Errorf("FCM accepted %d messages, want %d", reached, good+broken)
	}
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
}
