package daemon

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/redis/go-redis/v9"

	"fanfare/test/servers"
)

// startSentinel starts one sentinel that watches the master, and returns its address once it answers.
func startSentinel(t *testing.T, name, master string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(master)
	if err != nil {
		t.Fatal(err)
	}
	var config net.ListenConfig
	free, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := free.Addr().(*net.TCPAddr)
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	settings := fmt.Sprintf("port %d\nbind 127.0.0.1\nsentinel monitor %s %s %s 1\n", addr.Port, name, host, port)
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := exec.CommandContext(t.Context(), "redis-server", file, "--sentinel")
	if err := sentinel.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sentinel.Wait() }) // t.Context has ended by then, and the sentinel with it

	client := redis.NewSentinelClient(&redis.Options{Addr: addr.String()})
	defer func() { _ = client.Close() }()
	err = servers.Await(t.Context(), func() (bool, error) {
		return client.GetMasterAddrByName(t.Context(), name).Err() == nil, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return addr.String()
}
