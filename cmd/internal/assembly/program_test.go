package assembly

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/test/servers"
)

// Results are written to another slot than their campaign's in one script, which a cluster refuses once there are any.
func TestStartRefusesAClusterInStandaloneMode(t *testing.T) {
	s := config.Defaults()
	s.Redis.URL = config.URL("redis://" + servers.Redis(t, "--cluster-enabled", "yes"))
	rooms, err := Open(t.Context(), s, "test", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rooms.Close() })
	err = rooms.checkRedis(t.Context())
	if daemon.ExitCode(err) != daemon.ExitUsage || !strings.Contains(err.Error(), "set redis.mode: cluster") {
		t.Errorf("got %v, want exit code %d and what to set", err, daemon.ExitUsage)
	}
}

// TestEvictionIsAllowedBySetting starts on a Redis that may evict audiences.
func TestEvictionIsAllowedBySetting(t *testing.T) {
	addr := servers.Redis(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	for _, allowed := range []bool{false, true} {
		rooms := openRooms(t, func(s *config.Settings) {
			s.Redis.URL, s.Redis.AllowVolatileEviction = config.URL("redis://"+addr), allowed
		})
		if err := rooms.checkRedis(t.Context()); (err == nil) != allowed {
			t.Errorf("allowed %t: got %v", allowed, err)
		}
	}
}

// TestAProgramsOwnSettings go to the skeleton that runs it.
func TestAProgramsOwnSettings(t *testing.T) {
	d := Daemon{
		Name:         "test",
		Listen:       func(s config.Settings) config.Address { return s.HTTP.Responder },
		DrainTimeout: func(s config.Settings) time.Duration { return s.Responder.Drain },
	}
	s := config.Defaults()
	s.HTTP.Responder, s.Responder.Drain = "127.0.0.1:7", 7*time.Second
	if o := d.options(s, slog.New(slog.DiscardHandler)); o.Name != "test" || o.Listen != "127.0.0.1:7" || o.DrainTimeout != 7*time.Second || o.Logger == nil {
		t.Errorf("got %+v", o)
	}
}
