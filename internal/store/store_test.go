package store

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fanfare/internal/notification"
)

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "fanfare.db", "mysql://u:secret@host/db", "sqlite:", "sqlite::memory:", "postgres://u:secret@host:port/db"} {
		s, err := Open(t.Context(), url, Options{})
		if err == nil {
			_ = s.Close()
			t.Errorf("%q was accepted", url)
			continue
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error shows the password: %v", err)
		}
	}
}

// A commit must be on disk, because the responder forgets a result after COMMIT.
func TestSQLiteCommitsToTheDisk(t *testing.T) {
	t.Parallel()
	s := migrated(t, sqliteURL(t), Options{})
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000"} {
		var got string
		if err := s.backend.(*sqliteFile).writer.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", pragma, got, err, want)
		}
	}
}

func TestSQLiteFilesMayHaveAnyName(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"plain.db", "100% what?.db", "a#b&c=d.db", "ü ☃.db"} {
		path := filepath.Join(dir, name)
		migrated(t, "sqlite:"+path, Options{})
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
	}
	path := filepath.Join(dir, "slashes.db")
	migrated(t, "sqlite://"+path, Options{})
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestSQLitePathsMayBeRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	migrated(t, "sqlite:fanfare.db", Options{})
	if _, err := os.Stat("fanfare.db"); err != nil {
		t.Error(err)
	}
}

func TestPingFindsDatabase(t *testing.T) {
	t.Parallel()
	onBoth(t, Options{}, func(t *testing.T, s *Store) {
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
	})
	absent := opened(t, server.URL("absent"), Options{})
	if err := absent.Ping(t.Context()); FaultOf(err) != Halt {
		t.Errorf("of a database that does not exist: %v (%v), want a halt", err, FaultOf(err))
	}
	folder := opened(t, "sqlite:"+t.TempDir(), Options{})
	if err := folder.Ping(t.Context()); FaultOf(err) != Halt {
		t.Errorf("of a folder: %v (%v), want a halt", err, FaultOf(err))
	}
}

// silent returns the URL of a server that accepts connections and never answers.
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

// A call without a limit would block all users of the database, and the caller's context may have
// no deadline.
func TestSilentDatabaseBlocksNoCaller(t *testing.T) {
	t.Parallel()
	o := DefaultOptions()
	o.ProfileQuery, o.Timeout = `SELECT id, profile FROM people WHERE id = ANY($1)`, 20*time.Millisecond
	s := opened(t, silent(t), o)
	_, err := s.Tokens(t.Context(), []string{"u"})
	checkTimeout(t, "tokens", err)
	_, err = s.Profiles(t.Context(), []string{"u"})
	checkTimeout(t, "profiles", err)
	checkTimeout(t, "apply", s.Apply(t.Context(), []notification.Result{removed("u", "1", "t")}))
	checkTimeout(t, "restore", s.RestoreTokens(t.Context(), map[string][]string{"u": {"t"}}))
}

// A statement that waits for a lock ends at the timeout and leaves nothing half done.
func TestStuckStatementTimesOut(t *testing.T) {
	t.Parallel()
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
	checkTimeout(t, "restore", hasty.RestoreTokens(t.Context(), map[string][]string{"u": {"t"}}))
	if err := lock.Rollback(); err != nil {
		t.Fatal(err)
	}
	checkCampaign(t.Context(), t, s, "42", nil)
	apply(t, s, results...)
}

// A migration of a large table may take hours, and nothing waits behind it.
func TestMigrationHasNoTimeout(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"sqlite": sqliteURL(t), "postgres": server.Database(t)} {
		t.Run(name, func(t *testing.T) {
			s := migrated(t, url, Options{Timeout: time.Nanosecond})
			checkTimeout(t, "apply", s.Apply(t.Context(), []notification.Result{outcome("42", "u", "1", notification.StatusSent)}))
		})
	}
}

// A call may take as long as the timeout, whatever the caller allows beyond that.
func TestTimeoutBoundsACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		for want, o := range map[time.Duration]Options{7 * time.Second: {Timeout: 7 * time.Second}, DefaultTimeout: {}} {
			s := &Store{o: o.resolve("")}
			err := s.withTimeout(t.Context(), func(ctx context.Context) error {
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
	t.Parallel()
	if _, err := Open(t.Context(), sqliteURL(t), Options{Timeout: -time.Second}); err == nil {
		t.Error("accepted")
	}
}
