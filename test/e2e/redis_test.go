package e2e

import (
	"strings"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestFullRedis runs a campaign in a Redis that takes no more data: nothing can be loaded, and all
// that is there drains, down to the rows in SQL.
func TestFullRedis(t *testing.T) {
	t.Parallel()
	s, db := newSystem(t, servers.SystemOptions{})
	audience := s.File("audience.csv", populate(t, s, db))
	s.Fanfare("campaign", "create", "42", "--message", "../../examples/message.json")
	s.Fanfare("load", "42", audience)
	s.Fanfare("campaign", "start", "42")
	if err := s.Redis.ConfigSet(t.Context(), "maxmemory", "500kb").Err(); err != nil {
		t.Fatal(err)
	}
	load := s.Start(nil, "fanfare", "load", "42", audience, "--append")
	if code := load.Wait(); code == 0 || !strings.Contains(load.Log(), "maxmemory") {
		t.Errorf("a load exited %d saying %q, want that Redis is full", code, load.Log())
	}

	s.Job("42", "FANFARE_BREAKER_ENABLED=false").ExpectExit(0) // the cast has every outcome there is
	responder := s.Start(nil, "responder")
	servers.AwaitSummary(t, db, "42", int64(castSize()))
	responder.Signal(syscall.SIGTERM)
	responder.ExpectExit(0)
	checkLedger(t, s.Sim.Ledger())
	checkDeliveries(t, servers.Deliveries(t, db, "42"))
	checkDeadLetters(t, s)
}

// TestEvictingRedis wants the daemons to refuse a Redis that may throw recipients away, unless they
// are told otherwise.
func TestEvictingRedis(t *testing.T) {
	t.Parallel()
	s := servers.NewSystem(t, programs, servers.SystemOptions{
		Redis:    []string{servers.Redis(t, "--maxmemory", "100mb", "--maxmemory-policy", "volatile-lru")},
		Database: "sqlite:" + t.TempDir() + "/fanfare.db", Env: []string{"FANFARE_STORE_TOKEN_QUERY=off"},
	})
	for _, program := range []string{"dispatcher", "responder"} {
		p := s.Start(nil, program)
		if code := p.Wait(); code != 2 || !strings.Contains(p.Log(), "volatile-lru") || !strings.Contains(p.Log(), "noeviction") {
			t.Errorf("%s exited %d saying %q, want 2 and the policy", program, code, p.Log())
		}
	}
	s.Campaign("42", audience(10))
	s.Job("42", "FANFARE_REDIS_ALLOW_VOLATILE_EVICTION=true").ExpectExit(0)
	checkOnce(t, s, 10)
}
