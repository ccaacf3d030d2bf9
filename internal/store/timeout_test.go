package store

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/notification"
)

// silent is the URL of a server that takes connections and never says a word.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var taking sync.WaitGroup
	taking.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		taking.Wait()
	})
	return "postgres://fanfare@" + listener.Addr().String() + "/fanfare?sslmode=disable"
}

func checkTimeout(t *testing.T, what string, err error) {
	t.Helper()
	if FaultOf(err) != Transient || !strings.Contains(err.Error(), "store.timeout") {
		t.Errorf("%s: got %v (%v), want a transient fault that names store.timeout", what, err, FaultOf(err))
	}
}

// Who is waited for without an end holds up all who need the database; and the caller's own context may have none.
func TestADatabaseThatNeverAnswersHoldsNobody(t *testing.T) {
	o := DefaultOptions()
	o.ProfileQuery, o.Timeout = `SELECT id, profile FROM people WHERE id = ANY($1)`, 20*time.Millisecond
	s := opened(t, silent(t), o)
	_, err := s.Tokens(t.Context(), []string{"u"})
	checkTimeout(t, "tokens", err)
	_, err = s.Profiles(t.Context(), []string{"u"})
	checkTimeout(t, "profiles", err)
	checkTimeout(t, "apply", s.Apply(t.Context(), []notification.Result{removed("u", "1", "t")}))
	checkTimeout(t, "restore", s.RestoreTokens(t.Context(), map[string]string{"u": "t"}))
}

// A statement that waits for a lock is given up, and leaves nothing half done.
func TestAStatementThatIsStuckIsCutOff(t *testing.T) {
	url := server.Database(t)
	s := migrated(t, url, DefaultOptions())
	execute(t, s, `CREATE TABLE users (id text PRIMARY KEY, fcm_token text)`)
	insertUser(t, s, "u", "t")
	o := DefaultOptions()
	o.Timeout = 50 * time.Millisecond
	hasty := opened(t, url, o)
	results := []notification.Result{removed("u", "1", "t")}

	lock, err := plain(t, s).BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.ExecContext(t.Context(), `LOCK TABLE users IN ACCESS EXCLUSIVE MODE`); err != nil {
		t.Fatal(err)
	}
	_, err = hasty.Tokens(t.Context(), []string{"u"})
	checkTimeout(t, "tokens", err)
	checkTimeout(t, "clearing", hasty.Apply(t.Context(), results))
	checkTimeout(t, "restore", hasty.RestoreTokens(t.Context(), map[string]string{"u": "t"}))
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	checkCampaign(t.Context(), t, s, "42", nil)
	apply(t, s, results...)
}

// A migration of a large table may take hours; nobody waits behind it.
func TestAMigrationTakesItsTime(t *testing.T) {
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := migrated(t, url, Options{Timeout: time.Nanosecond})
			checkTimeout(t, "apply", s.Apply(t.Context(), []notification.Result{outcome("42", "u", "1", notification.StatusSent)}))
		})
	}
}

// A call may take as long as the timeout says, whatever the caller allows beyond that.
func TestTimeoutBoundsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		for want, o := range map[time.Duration]Options{7 * time.Second: {Timeout: 7 * time.Second}, DefaultTimeout: {}} {
			s := &Store{o: o.resolve("")}
			err := s.within(t.Context(), func(ctx context.Context) error {
				if deadline, ok := ctx.Deadline(); !ok || deadline.Sub(begun) != want {
					t.Errorf("ends after %s, want %s", deadline.Sub(begun), want)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
	})
}

func TestOpenRefusesATimeoutBelowZero(t *testing.T) {
	if _, err := Open(t.Context(), sqliteURL(t), Options{Timeout: -time.Second}); err == nil {
		t.Error("accepted")
	}
}
