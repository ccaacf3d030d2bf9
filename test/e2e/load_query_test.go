package e2e

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"fanfare/test/servers"
)

// TestKilledQueryIsGoneOnWith kills the load of a query with SIGKILL, while its list is emptied.
// The same command loads each of the other rows once.
func TestKilledQueryIsGoneOnWith(t *testing.T) {
	t.Parallel()
	const n = 60_000
	database := "sqlite:" + filepath.Join(t.TempDir(), "fanfare.db")
	applySent(t, database, n)
	s := servers.NewSystem(t, programs, servers.SystemOptions{Database: database})
	command := []string{"load", "43", "--query", "SELECT user_id, attempts FROM fanfare_deliveries WHERE campaign_id = '42'", "--key", "user_id"}
	load := s.Start(nil, "fanfare", command...)
	count := func() int64 { return s.Redis.LLen(t.Context(), "campaign:43").Val() }
	servers.Eventually(t, "some are loaded", func() bool { return count() >= 2000 })
	list := s.Redis.LPopCount(t.Context(), "campaign:43", 1500).Val()
	load.Signal(syscall.SIGKILL)
	load.Wait()
	if left := count(); left >= n-1500 {
		t.Fatalf("the load was over before it was killed: %d", left)
	}
	var summary struct{ Loaded, AlreadyLoaded int64 }
	if err := json.Unmarshal(s.Fanfare(append(command, "--json")...), &summary); err != nil {
		t.Fatal(err)
	}
	if summary.Loaded+summary.AlreadyLoaded != n || summary.AlreadyLoaded < 2000 {
		t.Errorf("it says %+v, want %d in all", summary, n)
	}
	list = append(list, s.Redis.LRange(t.Context(), "campaign:43", 0, -1).Val()...)
	elements := len(list)
	slices.Sort(list)
	if different := len(slices.Compact(list)); elements != n || different != n {
		t.Errorf("%d elements, %d different ones, want %d", elements, different, n)
	}
}
