package chaos

import (
	"os"
	"strconv"
	"testing"

	"fanfare/test/servers"
)

// TestFCMInTrouble has a quarter of all requests fail in one of the ways in which FCM does not take
// a message. All are tried again, until everyone has been sent to, once.
func TestFCMInTrouble(t *testing.T) {
	t.Parallel()
	const rules = `{"latency": "5ms..15ms", "outcomes": [
		{"code": "UNAVAILABLE", "share": 0.05}, {"code": "INTERNAL", "share": 0.05},
		{"code": "QUOTA_EXCEEDED", "share": 0.05}, {"code": "BAD_GATEWAY", "share": 0.05},
		{"code": "RESET_BEFORE_READ", "share": 0.05}]}`
	file := t.TempDir() + "/rules.json"
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := newSystem(t, servers.SystemOptions{
		Simulator: []string{"--rules", file, "--seed", strconv.FormatUint(*seed, 10)},
		Env:       []string{"FANFARE_RETRY_MAX_ATTEMPTS=100"},
	})
	t.Logf("seed %d", *seed)
	s.Campaign("42", audience(recipients))
	s.Job("42").ExpectExit(0)
	if c := s.Sim.Counts(); c.Distinct != outcomes(recipients).Sent || c.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages and %d again, want %d and none", c.Distinct, c.Duplicates, outcomes(recipients).Sent)
	}
	checkBooks(t, s, recipients)
}
