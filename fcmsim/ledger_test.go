package fcmsim_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"fanfare/fcmsim"
)

// admin calls the admin API and returns status and body.
func (r *rig) admin(t *testing.T, method, path, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, r.srv.URLs.Admin+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	transport := new(http.Transport)
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

func TestLedgerCountsDuplicatesByMessage(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	send := func(members string) {
		t.Helper()
		name(t, r.post(t, inMessage(members)))
	}
	send(`"notification":{"title":"spring"}`)
	send(`"notification":{"title":"spring"}`)
	send(`"notification":{"title":"autumn"}`)
	send(`"android":{"ttl":"60s"}`)
	send(`"android":{"ttl":"5s"}`) // the same message, repeated nearer its deadline
	if c := r.Counts(); c.Accepted != 5 || c.Distinct != 3 || c.Duplicates != 2 {
		t.Errorf("counts %+v", c)
	}
	var accepted uint32
	for _, e := range r.EntriesOf("t") {
		accepted += e.Accepted
		if e.Target != "" || e.Message != nil {
			t.Errorf("hashes are all that should be kept: %+v", e)
		}
	}
	if accepted != 5 || len(r.EntriesOf("t")) != 3 || len(r.EntriesOf("u")) != 0 {
		t.Errorf("entries %+v", r.EntriesOf("t"))
	}
}

func TestLedgerOfWholeMessages(t *testing.T) {
	r := newRig(t, fcmsim.Options{Ledger: fcmsim.LedgerMessages})
	first, second := name(t, r.post(t, toToken("t"))), name(t, r.post(t, toToken("t")))
	r.post(t, toToken("dead-1"))
	entries := r.EntriesOf("t")
	if len(entries) != 1 {
		t.Fatalf("entries %+v", entries)
	}
	e := entries[0]
	if e.Target != "t" || e.Accepted != 2 || e.Attempts != 2 || len(e.MessageIDs) != 2 || e.MessageIDs[0] != first || e.MessageIDs[1] != second {
		t.Errorf("entry %+v", e)
	}
	if want := `{"token":"t","notification":{"title":"Hello","body":"World"}}`; string(e.Message) != want {
		t.Errorf("message %s", e.Message)
	}
	if dead := r.EntriesOf("dead-1"); len(dead) != 1 || dead[0].Attempts != 1 || dead[0].Accepted != 0 {
		t.Errorf("entries of a dead token %+v", dead)
	}
}

func TestAdminShowsTheLedger(t *testing.T) {
	r := newRig(t, fcmsim.Options{Ledger: fcmsim.LedgerMessages})
	for _, token := range []string{"a", "b", "a:b/c", "dead-1"} {
		r.post(t, toToken(token))
	}
	status, dump := r.admin(t, http.MethodGet, "/ledger", "")
	targets := make(map[string]uint32)
	for line := range strings.Lines(dump) {
		var e fcmsim.Entry
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		targets[e.Target] += e.Accepted
	}
	if status != http.StatusOK || len(targets) != 4 || targets["a"] != 1 || targets["a:b/c"] != 1 {
		t.Errorf("%d %s", status, dump)
	}

	var entries []fcmsim.Entry
	if _, body := r.admin(t, http.MethodGet, "/ledger/a:b%2Fc", ""); json.Unmarshal([]byte(body), &entries) != nil || len(entries) != 1 {
		t.Errorf("one token: %s", body)
	}
	if _, body := r.admin(t, http.MethodGet, "/ledger/nobody", ""); strings.TrimSpace(body) != "[]" {
		t.Errorf("an unknown token: %s", body)
	}

	var counts fcmsim.Counts
	if _, body := r.admin(t, http.MethodGet, "/counts", ""); json.Unmarshal([]byte(body), &counts) != nil || counts.Accepted != 3 || counts.Connections.TLS != 1 {
		t.Errorf("counts: %s", body)
	}
	if status, _ := r.admin(t, http.MethodDelete, "/ledger", ""); status != http.StatusNoContent {
		t.Errorf("delete: %d", status)
	}
	if _, dump := r.admin(t, http.MethodGet, "/ledger", ""); dump != "" {
		t.Errorf("after delete: %s", dump)
	}
	if c := r.Counts(); c.Accepted != 0 || len(c.Codes) != 0 || c.Connections.Open != 1 || c.Connections.MaxOpen != 1 {
		t.Errorf("after delete: %+v", c)
	}
}

func TestAdminSetsRules(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	if status, body := r.admin(t, http.MethodPut, "/rules", `{"outcomes":[{"code":"INTERNAL","share":1}]}`); status != http.StatusNoContent {
		t.Fatalf("put: %d %s", status, body)
	}
	if got := r.post(t, toToken("t")); got.status != http.StatusInternalServerError {
		t.Errorf("the rule does nothing: %d", got.status)
	}
	if status, body := r.admin(t, http.MethodPut, "/rules", `{"outcomes":[{"code":"NO","share":1}]}`); status != http.StatusBadRequest || !strings.Contains(body, "no such code") {
		t.Errorf("wrong rules: %d %s", status, body)
	}
	_, body := r.admin(t, http.MethodGet, "/rules", "")
	if rules, err := fcmsim.ParseRules([]byte(body)); err != nil || len(rules.Outcomes) != 1 {
		t.Errorf("get: %s %v", body, err)
	}
	if status, _ := r.admin(t, http.MethodDelete, "/rules", ""); status != http.StatusNoContent {
		t.Errorf("delete: %d", status)
	}
	name(t, r.post(t, toToken("t")))
}
