package responder_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
	"fanfare/internal/store"
	"fanfare/test/servers"
)

// histories gives the responder the campaigns of a client.
func (w *world) histories(rdb redis.UniversalClient, to *store.Store) *campaign.Campaigns {
	w.Helper()
	all, err := campaign.New(rdb, w.names, campaign.Options{})
	if err != nil {
		w.Fatal(err)
	}
	w.deps.Histories, w.deps.History, w.options.HistoryInterval = all, to, 5*time.Millisecond
	return all
}

// What happens to a campaign is in SQL soon, also after an outage of SQL and after its deletion.
func TestHistoriesAreCopied(t *testing.T) {
	onBoth(t, func(w *world, db *store.Store) {
		all := w.histories(w.rdb, db)
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		do(all.Create(w.Context(), campaign.Spec{ID: "42", Message: []byte(`{}`)}))
		r := w.start(w.rdb)
		w.await("a warning", func() bool { return strings.Contains(w.log.String(), "campaign histories not copied to SQL") })
		migrate(w.T, db)
		arrived := func(want string) {
			t.Helper()
			w.await("history "+want, func() bool {
				found, err := db.History(w.Context(), "42")
				return err == nil && fmt.Sprint(whats(found)) == want
			})
		}
		arrived("[created]")
		do(all.Move(w.Context(), "42", campaign.Cancelled, "wrong day"))
		do(all.Delete(w.Context(), "42"))
		arrived("[created cancelled deleted]")
		r.stopWork()
		r.ends()
		if n := strings.Count(w.log.String(), "campaign histories not copied to SQL"); n != 1 {
			t.Errorf("an outage is logged %d times", n)
		}
	})
}

func whats(entries []notification.HistoryEntry) (all []string) {
	for _, e := range entries {
		all = append(all, e.What)
	}
	return all
}

// A Redis user that may not read campaigns is told what to grant. Results are written all the same.
func TestADeniedHistoryIsExplained(t *testing.T) {
	t.Parallel()
	addr := servers.Redis(t)
	w := newWorldOn(t, addr, &database{})
	rules := []any{"ACL", "SETUSER", "limited", "on", ">secret", "+@all", "~notification:responses", "~{notification:responses}:*"}
	if err := w.rdb.Do(t.Context(), rules...).Err(); err != nil {
		t.Fatal(err)
	}
	limited := redis.NewClient(&redis.Options{Addr: addr, Username: "limited", Password: "secret"})
	t.Cleanup(func() { _ = limited.Close() })
	w.histories(limited, nil)
	w.push(encoded(result(0, notification.StatusSent)))
	w.start(limited)
	w.await("a warning", func() bool {
		return strings.Contains(w.log.String(), "grant the responder's Redis user ~campaign:* ~{campaign:* +sscan +xrange")
	})
	w.await("the result", func() bool { return w.counts().Ended["applied"] == 1 })
}
