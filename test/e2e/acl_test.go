package e2e

import (
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// TestRedisLeastPrivilege runs all programs as the users that deploy/README.md recommends. Redis
// denies them nothing.
func TestRedisLeastPrivilege(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB, ...string) string{"Redis": servers.Redis, "Valkey": servers.Valkey} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			addr := start(t, "--appendonly", "yes")
			s, db := newSQLiteSystem(t, servers.SystemOptions{Redis: []string{addr}})
			admin := redis.NewClient(&redis.Options{Addr: addr})
			defer admin.Close()
			makeUsers(t, admin)
			as := func(user string) []string { return []string{"REDIS_URL=redis://" + user + ":password@" + addr} }
			fanfare := func(args ...string) { s.Start(as("operator"), "fanfare", args...).ExpectExit(0) }

			message := s.File("message.json", servers.PlainMessage)
			fanfare("check")
			fanfare("campaign", "create", "42", "--message", message)
			fanfare("load", "42", s.File("audience.csv", audience(20)+"gone,dead-1\n"))
			store(t, s, "user:gone:token", "dead-1")
			fanfare("campaign", "check", "42")
			fanfare("campaign", "start", "42")
			fanfare("campaign", "pause", "42")
			fanfare("campaign", "resume", "42")
			fanfare("quota", "show")
			fanfare("quota", "set", "--per-minute", "60000")
			s.Start(as("dispatcher"), "dispatcher", "--campaign", "42").ExpectExit(0)
			dispatcher, responder := s.Start(as("dispatcher"), "dispatcher"), s.Start(as("responder"), "responder")
			servers.AwaitSummary(t, db, "42", 21)
			fanfare("campaign", "show", "42")
			fanfare("campaign", "list")
			fanfare("tokens", "set", "user-7", "ok-7")
			store(t, s, "user:gone:token", "ok-new")
			fanfare("dead", "list")
			fanfare("dead", "replay", "--campaign", "42")
			fanfare("quota", "reset")
			fanfare("project", "halt")
			fanfare("project", "resume")
			for _, p := range []*servers.Process{dispatcher, responder} {
				p.AwaitLog(`"msg":"ready"`)
				p.Signal(syscall.SIGTERM)
				p.ExpectExit(0)
			}
			fanfare("campaign", "create", "43", "--message", message)
			fanfare("campaign", "delete", "43")
			for _, e := range denials(t, admin) {
				t.Errorf("%s was denied %s of %s", e.Username, e.Reason, e.Object)
			}
		})
	}
}

var setUser = regexp.MustCompile(`(?m)^ {4}ACL SETUSER (.*)$`)

// makeUsers makes the users of deploy/README.md.
func makeUsers(t *testing.T, admin *redis.Client) {
	t.Helper()
	page, err := os.ReadFile("../../deploy/README.md")
	if err != nil {
		t.Fatal(err)
	}
	found := setUser.FindAllStringSubmatch(string(page), -1)
	if len(found) != 3 {
		t.Fatalf("%d users are in deploy/README.md, want the dispatcher, the responder and the operator", len(found))
	}
	for _, line := range found {
		args := []any{"ACL", "SETUSER"}
		for _, word := range strings.Fields(line[1]) {
			args = append(args, word)
		}
		if err := admin.Do(t.Context(), args...).Err(); err != nil {
			t.Fatalf("%s: %v", line[1], err)
		}
	}
}

// denials are what Redis has denied. That it is told a client's library is of no use to us.
func denials(t *testing.T, admin *redis.Client) (all []*redis.ACLLogEntry) {
	t.Helper()
	entries, err := admin.ACLLog(t.Context(), 100).Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Object != "client|setinfo" {
			all = append(all, e)
		}
	}
	return all
}
