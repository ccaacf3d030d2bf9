package e2e

import (
	"encoding/json"
	"fmt"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// withDevices starts a campaign whose list an application has written.
func withDevices(t *testing.T, s *servers.System, id string, elements []any, options ...string) {
	t.Helper()
	s.Fanfare(append([]string{"campaign", "create", id, "--message", s.File("message.json", servers.PlainMessage)}, options...)...)
	if err := s.Redis.RPush(t.Context(), "campaign:"+id, elements...).Err(); err != nil {
		t.Fatal(err)
	}
	s.Fanfare("campaign", "start", id)
}

// TestSeveralDevices sends to users with three devices each: one is dead, one is accepted at the
// third attempt, one at the first. The dispatcher is stopped twice. Each device gets one message,
// and the outcome of each is in the result.
func TestSeveralDevices(t *testing.T) {
	t.Parallel()
	const users = 300
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Simulator: []string{"--latency", "50ms"},
		Env: append([]string{
			"FANFARE_DISPATCHER_CONCURRENCY=50",
		}, probing...),
	})
	var elements []any
	for i := range users {
		elements = append(elements, fmt.Sprintf(
			`{"userId":"u%[1]d","devices":[{"token":"dead-u%[1]d","platform":"android"},{"token":"unavailable2-u%[1]d"},{"fid":"fid-u%[1]d","platform":"ios"}]}`, i))
	}
	withDevices(t, s, "42", elements)
	for _, moment := range []int64{users / 4, users} {
		job := s.Job("42")
		job.AwaitLog(`"msg":"ready"`)
		s.Sim.AwaitAccepted(moment)
		job.Signal(syscall.SIGTERM)
		job.ExpectExit(75)
		if books := s.Show("42").Books; books.InFlight != 0 {
			t.Errorf("stopped after %d messages with the books %+v", moment, books)
		}
	}
	s.Job("42").ExpectExit(0)
	books := s.Show("42").Books
	if books.Sent != users || books.Loaded != users {
		t.Errorf("books %+v, want %d sent", books, users)
	}
	want := servers.Outcomes{Sent: 2 * users, Failed: users}
	if d := books.Devices; d == nil || d.Outcomes != want || d.Total != 3*users || d.Codes["failed:UNREGISTERED"] != users {
		t.Errorf("books of devices %+v, want %+v", d, want)
	}
	checkDevices(t, s.Sim.Ledger(), users)
	checkDeviceResults(t, s, users)
}

// checkDevices holds what FCM got against the users' devices: no device got a message twice, or was
// sent to more often than it had to be. The ledger has no devices that accepted nothing.
func checkDevices(t *testing.T, ledger map[string][]servers.LedgerEntry, users int) {
	t.Helper()
	for i := range users {
		for prefix, want := range map[string]servers.LedgerEntry{
			"unavailable2-": {Attempts: 3, Accepted: 1}, "fid-": {Attempts: 1, Accepted: 1},
		} {
			entries := ledger[fmt.Sprintf("%su%d", prefix, i)]
			if len(entries) != 1 || entries[0].Attempts != want.Attempts || entries[0].Accepted != want.Accepted {
				t.Errorf("%su%d: %+v, want %d attempts, %d accepted", prefix, i, entries, want.Attempts, want.Accepted)
			}
		}
	}
}

// checkDeviceResults wants one result for each user, with the outcomes of three devices.
func checkDeviceResults(t *testing.T, s *servers.System, users int) {
	t.Helper()
	raw, err := s.Redis.LRange(t.Context(), "notification:responses", 0, -1).Result()
	if err != nil || len(raw) != users {
		t.Fatalf("%d results, error %v, want %d", len(raw), err, users)
	}
	for _, text := range raw {
		var r struct {
			Status  string
			Devices []struct {
				Address, Kind, Platform, Status, MessageID, ErrorCode string
				Attempts                                              int
			}
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil || len(r.Devices) != 3 || r.Status != "sent" {
			t.Fatalf("result %s, error %v", text, err)
		}
		dead, slow, fid := r.Devices[0], r.Devices[1], r.Devices[2]
		if dead.ErrorCode != "UNREGISTERED" || dead.Platform != "android" || slow.MessageID == "" || fid.Kind != "fid" || fid.Attempts != 1 {
			t.Fatalf("result %s", text)
		}
	}
}

// TestMigrationToInstallationIDs sends to the tokens of an app that has moved to installation IDs.
// All tokens are dead. Neither the breaker nor the budget of deletions takes it for a disaster.
func TestMigrationToInstallationIDs(t *testing.T) {
	t.Parallel()
	const users = 2000
	s := servers.NewSystem(t, programs, servers.SystemOptions{})
	s.Sim.Rules(`{"fidReplacesToken": true}`)
	var moved, stale []any
	for i := range users {
		fid := fmt.Sprintf("cXyZ0123456789abcd%04d", i)
		moved = append(moved, fmt.Sprintf(`{"userId":"u%d","fid":"%s"}`, i, fid))
		stale = append(stale, fmt.Sprintf(`{"userId":"u%d","fcmToken":"%s:token"}`, i, fid))
		store(t, s, fmt.Sprintf("user:u%d:token", i), fid+":token")
		if err := s.Redis.HSet(t.Context(), fmt.Sprintf("user:u%d:devices", i), fid, `{"kind":"fid"}`).Err(); err != nil {
			t.Fatal(err)
		}
	}
	withDevices(t, s, "first", moved) // from now on the tokens are dead
	s.Job("first").ExpectExit(0)
	withDevices(t, s, "42", stale)
	s.Job("42").ExpectExit(0)
	view := s.Show("42")
	if b := view.Books; view.State != "completed" || b.Sent != users || b.Moved != users || b.TokensKept != 0 || b.Devices != nil {
		t.Errorf("the campaign ended as %+v, want %d sent and moved", view, users)
	}
	if keys, err := s.Redis.Keys(t.Context(), "user:*:token").Result(); err != nil || len(keys) > 0 {
		t.Errorf("%d tokens are still stored, error %v", len(keys), err)
	}
	if keys, err := s.Redis.Keys(t.Context(), "user:*:devices").Result(); err != nil || len(keys) != users {
		t.Errorf("%d users have an installation ID, error %v, want all", len(keys), err)
	}
}
