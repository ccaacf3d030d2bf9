package wire

import (
	"log/slog"
	"strings"
	"testing"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/test/servers"
)

// Results are written to another slot than their campaign's in one script, which a cluster refuses once there are any.
func TestStartRefusesAClusterTakenForOneServer(t *testing.T) {
	s := config.Defaults()
	s.Redis.URL = config.URL("redis://" + servers.Redis(t, "--cluster-enabled", "yes"))
	rooms, err := Open(t.Context(), s, "test", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rooms.Close() })
	err = rooms.checkRedis(t.Context())
	if daemon.Code(err) != daemon.ExitUsage || !strings.Contains(err.Error(), "set redis.mode: cluster") {
		t.Errorf("got %v, want exit code %d and what to set", err, daemon.ExitUsage)
	}
}
