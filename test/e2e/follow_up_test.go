package e2e

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"fanfare/internal/notification"
	sqlstore "fanfare/internal/store"
	"fanfare/test/servers"
)

// TestKilledFollowUpIsGoneOnWith kills a follow-up with SIGKILL. Then users are suppressed, one of
// them loaded already. The same command loads each of the others once.
func TestKilledFollowUpIsGoneOnWith(t *testing.T) {
	t.Parallel()
	const n = 60_000
	database := "sqlite:" + filepath.Join(t.TempDir(), "fanfare.db")
	applySent(t, database, n)
	s := servers.NewSystem(t, programs, servers.SystemOptions{Database: database})
	s.Fanfare("suppress", "add", "u00007", "u00008")
	command := []string{"load", "43", "--from", "42", "--status", "sent", "--older-than", "24h"}
	load := s.Start(nil, "fanfare", command...)
	count := func() int64 { return s.Redis.LLen(t.Context(), "campaign:43").Val() }
	servers.Eventually(t, "some are loaded", func() bool { return count() >= 2000 })
	load.Signal(syscall.SIGKILL)
	load.Wait()
	if left := count(); left >= n-2 {
		t.Fatalf("the load was over before it was killed: %d", left)
	}
	s.Fanfare("suppress", "add", "u00000", fmt.Sprintf("u%05d", n-1))
	var summary struct{ Loaded, AlreadyLoaded, Suppressed int64 }
	if err := json.Unmarshal(s.Fanfare(append(command, "--json")...), &summary); err != nil {
		t.Fatal(err)
	}
	if summary.Loaded+summary.AlreadyLoaded != n-3 || summary.AlreadyLoaded < 2000 || summary.Suppressed != 1 {
		t.Errorf("it says %+v, want %d in all", summary, n-3)
	}
	list := s.Redis.LRange(t.Context(), "campaign:43", 0, -1).Val()
	elements := len(list)
	slices.Sort(list)
	if different := len(slices.Compact(list)); elements != n-3 || different != n-3 {
		t.Errorf("%d elements, %d different ones, want %d", elements, different, n-3)
	}
}

// applySent writes outcomes of campaign 42 that are two days old.
func applySent(t *testing.T, database string, n int) {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), database, sqlstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var results []notification.Result
	for i := range n {
		results = append(results, notification.Result{
			CampaignID: "42", UserID: fmt.Sprintf("u%05d", i), ResultID: fmt.Sprint(i), Status: notification.StatusSent, Attempts: 1, At: time.Now().Add(-48 * time.Hour),
		})
	}
	for some := range slices.Chunk(results, 2000) {
		if err := db.Apply(t.Context(), some); err != nil {
			t.Fatal(err)
		}
	}
}
