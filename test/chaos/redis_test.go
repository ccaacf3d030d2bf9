package chaos

import (
	"slices"
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestRepliesLost cuts the connection to Redis at every few replies, after the command was
// executed. The programs send it again; no one is lost, no one is sent to twice, and no row is
// doubled.
func TestRepliesLost(t *testing.T) {
	t.Parallel()
	addr := servers.Redis(t)
	proxy := servers.NewProxy(t, addr)
	s, db := newSystem(t, servers.SystemOptions{
		Redis: []string{addr}, Simulator: []string{"--latency", "10ms"}, Env: []string{"FANFARE_DISPATCHER_CONCURRENCY=100"},
	})
	through := []string{"REDIS_URL=redis://" + proxy.Addr()}
	proxy.Lose(servers.IsScript, servers.EveryNth(2))
	for _, command := range [][]string{
		{"campaign", "create", "42", "--message", s.File("message.json", servers.PlainMessage)},
		{"load", "42", s.File("audience.csv", audience(recipients))},
		{"campaign", "start", "42"},
	} {
		s.Start(through, "fanfare", command...).ExpectExit(0)
	}
	if books := s.Show("42").Books; books.Loaded != recipients || books.Waiting != recipients {
		t.Fatalf("books %+v after loading, want %d to wait", books, recipients)
	}

	proxy.Lose(working, servers.EveryNth(7))
	responder := s.Start(through, "responder")
	job := s.Job("42", through...)
	s.Sim.AwaitAccepted(recipients / 3)
	if err := s.Redis.ScriptFlush(t.Context()).Err(); err != nil { // as a failover does
		t.Fatal(err)
	}
	job.ExpectExit(0)
	checkRows(t, db, recipients)
	if commands, lost := proxy.CountMatches(); lost < 20 {
		t.Errorf("%d replies of %d commands were lost, too few to tell", lost, commands)
	}
	proxy.Lose(nil, nil)
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)

	if c := s.Sim.Counts(); c.Distinct != outcomes(recipients).Sent || c.Duplicates != 0 {
		t.Errorf("FCM accepted %d messages and %d again, want %d and none", c.Distinct, c.Duplicates, outcomes(recipients).Sent)
	}
	checkBooks(t, s, recipients)
}

// working matches all but the commands that a connection, or a program, begins with: a program may
// give up when it cannot even begin.
func working(command []string) bool {
	return !slices.Contains([]string{"HELLO", "AUTH", "SELECT", "CLIENT", "INFO"}, strings.ToUpper(command[0]))
}
