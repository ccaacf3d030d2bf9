package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestForeignResults gives the responder results that others wrote: copies, late ones, ones that no
// one can read and ones that SQL refuses. What is good is written once and never regresses; the
// rest are dead letters with their bytes.
func TestForeignResults(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{})
	result := func(user, id, status string) string {
		return fmt.Sprintf(`{"campaignId":42,"userId":%q,"status":%q,"attempts":1,"at":"2026-11-23T10:00:00.000Z","resultId":%q}`, user, status, id)
	}
	bad := []string{
		`garbage`, ``, `{"userId":"u"}`, strings.Replace(result("nul", "n", "sent"), `"nul"`, `"n\u0000l"`, 1),
		result("odd", "o", "delivered"), strings.Replace(result("never", "v", "sent"), "2026", "26", 1),
	}
	list := []any{
		result("up", "1", "unknown"), result("up", "1", "sent"),
		result("down", "2", "sent"), result("down", "2", "failed"),
		result("copied", "3", "sent"), result("copied", "3", "sent"), result("copied", "3", "sent"),
		`{"campaignId":"42","userId":7,"status":"sent","at":"2026-11-23T10:00:00Z"}`,
	}
	for _, one := range bad {
		list = append(list, one)
	}
	if err := s.Redis.RPush(t.Context(), "notification:responses", list...).Err(); err != nil {
		t.Fatal(err)
	}
	responder := s.Start(nil, "responder")
	servers.AwaitSummary(t, db, "42", 4)
	servers.Eventually(t, "the list is empty", func() bool {
		return s.Redis.Exists(t.Context(), "notification:responses", "{notification:responses}:leases").Val() == 0
	})
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)

	var rows []string
	for _, d := range servers.Deliveries(t, db, "42") {
		rows = append(rows, d.User+" "+d.Status)
	}
	slices.Sort(rows)
	if want := []string{"7 sent", "copied sent", "down sent", "up sent"}; !slices.Equal(rows, want) {
		t.Errorf("rows %q, want %q", rows, want)
	}
	var raw []string
	for _, letter := range deadLetters(t, s, "--kind", "result") {
		raw = append(raw, string(letter.Raw))
	}
	slices.Sort(raw)
	slices.Sort(bad)
	if !slices.Equal(raw, bad) {
		t.Errorf("dead letters of %q, want of %q", raw, bad)
	}
}

// TestTableMissing takes the table of results away, as a wrong migration would. The responder halts
// and says so; no result is blamed for it, and none is lost.
func TestTableMissing(t *testing.T) {
	t.Parallel()
	const n = 50
	s, db := newSystem(t, servers.SystemOptions{Env: []string{"FANFARE_HTTP_RESPONDER=127.0.0.1:0"}})
	first := s.Start(nil, "responder")
	first.AwaitLog(`"msg":"ready"`)
	execute(t, db, `ALTER TABLE fanfare_deliveries RENAME TO mislaid`)
	s.Campaign("42", audience(n))
	s.Job("42").ExpectExit(0)
	first.AwaitLog("halted")
	if status, said := ask(t, first, "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(said, "fanfare_deliveries") {
		t.Errorf("/readyz of a halted responder: %d %s", status, said)
	}
	first.Signal(syscall.SIGTERM)
	first.ExpectExit(0)
	if letters := deadLetters(t, s); len(letters) != 0 {
		t.Errorf("%d results were blamed for a missing table", len(letters))
	}

	execute(t, db, `ALTER TABLE mislaid RENAME TO fanfare_deliveries`)
	second := s.Start(nil, "responder")
	if summary, want := servers.AwaitSummary(t, db, "42", n), (servers.Outcomes{Sent: n}); summary != want {
		t.Errorf("summary %+v, want %+v", summary, want)
	}
	second.Signal(syscall.SIGTERM)
	second.ExpectExit(0)
}

// TestReplay fixes what made recipients fail, and sends them on their way again.
func TestReplay(t *testing.T) {
	t.Parallel()
	const n = 20
	s, db := newSystem(t, servers.SystemOptions{Env: []string{"FANFARE_BREAKER_ENABLED=false"}}) // all fail, which is meant
	s.Campaign("42", strings.ReplaceAll(audience(n), "ok-", "mismatch-"))
	s.Job("42").ExpectExit(0)
	responder := s.Start(nil, "responder")
	servers.AwaitSummary(t, db, "42", n)
	s.Eventually("all dead letters are written", func() bool { return len(deadLetters(t, s)) == n })
	for i := range n {
		s.Fanfare("tokens", "set", fmt.Sprintf("user-%06d", i), fmt.Sprintf("ok-%06d", i))
	}

	var summary struct{ Replayed, Skipped int }
	if err := json.Unmarshal(s.Fanfare("dead", "replay", "--campaign", "42", "--code", "SENDER_ID_MISMATCH", "--json"), &summary); err != nil {
		t.Fatal(err)
	}
	if summary.Replayed != n || summary.Skipped != 0 {
		t.Errorf("replayed %+v, want %d", summary, n)
	}
	s.Job("42").ExpectExit(0)
	checkOnce(t, s, n)
	want := servers.Outcomes{Sent: n, Failed: n}
	if got := servers.AwaitSummary(t, db, "42", 2*n); got != want {
		t.Errorf("summary %+v, want %+v", got, want)
	}
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
	if view := s.Show("42"); view.State != "completed" || view.Books.Outcomes != want || view.Books.Loaded != 2*n {
		t.Errorf("the campaign is %+v, want completed with %+v", view, want)
	}
	if letters := deadLetters(t, s); len(letters) != 0 {
		t.Errorf("%d dead letters are left of those that were replayed", len(letters))
	}
}
