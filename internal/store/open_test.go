package store

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenRefusesWhatIsNoDatabase(t *testing.T) {
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

// What SQL considers durable must be on the disk: the responder forgets a result on the strength of COMMIT.
func TestSQLiteCommitsToTheDisk(t *testing.T) {
	s := migrated(t, sqliteURL(t), Options{})
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "busy_timeout": "5000"} {
		var got string
		if err := s.backend.(*sqliteFile).writer.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s is %s (%v), want %s", pragma, got, err, want)
		}
	}
}

func TestSQLiteFilesMayHaveAnyName(t *testing.T) {
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

func TestPingTellsWhetherTheDatabaseIsThere(t *testing.T) {
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
