package chaos

import (
	"fmt"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/keys"
	"fanfare/test/servers"
)

// TestKilledBetweenDevices kills a dispatcher while the second device of each user hangs and the
// first one has the message. No first device gets it again. The second one does if the campaign
// resends, and is unknown if it only reports.
func TestKilledBetweenDevices(t *testing.T) {
	for onAmbiguous, want := range map[string]struct {
		devices servers.Outcomes
		second  int // how often FCM accepts the message to the second device
	}{
		"resend": {servers.Outcomes{Sent: 2 * pairs}, 2},
		"report": {servers.Outcomes{Sent: pairs, Unknown: pairs}, 1},
	} {
		t.Run(onAmbiguous, func(t *testing.T) {
			t.Parallel()
			s, _ := newSystem(t, servers.SystemOptions{})
			s.Sim.Rules(`{"prefixes": {"held-": {"code": "HANG", "delivered": 1}}}`)
			s.Fanfare("campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage), "--on-ambiguous", onAmbiguous)
			for i := range pairs {
				element := fmt.Sprintf(`{"userId":"u%[1]d","devices":[{"token":"ok-%[1]d"},{"token":"held-%[1]d"}]}`, i)
				if err := s.Redis.RPush(t.Context(), "campaign:42", element).Err(); err != nil {
					t.Fatal(err)
				}
			}
			s.Fanfare("campaign", "start", "42")
			job := s.Job("42")
			s.Eventually("the outcome of each first device is written", func() bool { return countProgress(t, s.Redis) == pairs })
			job.Signal(syscall.SIGKILL)
			job.ExpectExit(-1)
			s.Sim.Rules(`{}`)
			s.Job("42").ExpectExit(0)
			books := s.Show("42").Books
			if books.Sent != pairs || books.Devices == nil || books.Devices.Outcomes != want.devices {
				t.Errorf("books %+v with the devices %+v, want %d sent and %+v", books, books.Devices, pairs, want.devices)
			}
			ledger := s.Sim.Ledger()
			for i := range pairs {
				first, second := ledger[fmt.Sprintf("ok-%d", i)], ledger[fmt.Sprintf("held-%d", i)]
				if len(first) != 1 || first[0].Attempts != 1 || servers.CountAccepted(second) != want.second {
					t.Errorf("user %d: the second device got %d messages, want %d; the first has %d entries, want one of one attempt",
						i, servers.CountAccepted(second), want.second, len(first))
				}
			}
		})
	}
}

// pairs is the number of users with two devices. It is small, so that all of them are on the wire
// at one time.
const pairs = 15

// countProgress counts the leased elements whose progress is stored.
func countProgress(t *testing.T, rdb redis.UniversalClient) (n int) {
	t.Helper()
	list, err := keys.Default().Campaign("42")
	if err != nil {
		t.Fatal(err)
	}
	claims, err := rdb.ZRange(t.Context(), list.Key(keys.SuffixLeases), 0, -1).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, claim := range claims {
		for _, value := range rdb.LRange(t.Context(), list.Lease(claim), 1, -1).Val() {
			if words := strings.SplitN(value, " ", 3); len(words) == 3 && strings.Contains(words[1], ";") {
				n++
			}
		}
	}
	return n
}
