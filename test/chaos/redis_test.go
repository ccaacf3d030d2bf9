package chaos

import (
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestRepliesLost cuts the connection to Redis at every few replies, after the command was executed. The programs send it again;
// nobody is lost, nobody is sent to twice, and no row is doubled.
func TestRepliesLost(t *testing.T) {
	t.Parallel()
	addr := servers.Redis(t)
	proxy := servers.NewProxy(t, addr)
	s, db := newSystem(t, servers.SystemOptions{
		Redis: []string{addr}, Simulator: []string{"--latency", "10ms"}, Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=100"},
	})
	s.Campaign("42", audience(recipients))

	proxy.Lose(nil, servers.EveryNth(7))
	through := []string{"REDIS_URL=redis://" + proxy.Addr()}
	responder := s.Start(through, "responder")
	s.Start(through, "dispatcher", "--campaign", "42").Exits(0)
	checkRows(t, db, recipients)
	if commands, lost := proxy.Seen(); lost < 20 {
		t.Errorf("%d replies of %d commands were lost, too few to tell", lost, commands)
	}
	proxy.Lose(nil, nil)
	responder.Signal(syscall.SIGTERM)
	responder.Exits(0)

	if c := s.Sim.Counts(); c.Distinct != outcomes(recipients).Sent || c.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages and %d again, want %d and none", c.Distinct, c.Duplicates, outcomes(recipients).Sent)
	}
	checkBooks(t, s, recipients)
}
