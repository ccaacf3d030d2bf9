package store

import (
	"log/slog"
	"testing"
)

// TestPlaintextBeyondThisMachineIsFound opens stores, which connect to no one yet.
func TestPlaintextBeyondThisMachineIsFound(t *testing.T) {
	t.Setenv("PGSSLMODE", "")
	for url, want := range map[string]string{
		"postgres://u:p@db.example/d":                            "db.example",
		"postgres://u:p@db.example/d?sslmode=disable":            "db.example",
		"postgres://u:p@db.example/d?sslmode=allow":              "db.example",
		"postgres://u:p@db.example/d?sslmode=prefer":             "db.example",
		"postgres://u:p@db.example/d?sslmode=require":            "",
		"postgres://u:p@db.example/d?sslmode=verify-full":        "",
		"postgres://u:p@127.0.0.1/d?sslmode=disable":             "",
		"postgres://u:p@[::1]/d":                                 "",
		"postgres://u:p@localhost/d":                             "",
		"postgres://u:p@localhost,db.example/d?sslmode=disable":  "db.example",
		"postgres:///d?host=/var/run/postgresql&sslmode=disable": "",
		"postgres:///d?host=%40fanfare&sslmode=disable":          "", // Linux's abstract sockets
		"sqlite:" + t.TempDir() + "/x.db":                        "",
	} {
		s, err := Open(t.Context(), url, Options{Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Plaintext(); got != want {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPartsThatTheURLLeavesOpen come from the variables that PostgreSQL's own tools read.
func TestPartsThatTheURLLeavesOpen(t *testing.T) {
	t.Setenv("PGPASSWORD", "p#/@%")
	t.Setenv("PGUSER", "u")
	s, err := Open(t.Context(), "postgres://db.example/d?sslmode=require", Options{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	config := &s.backend.(*postgres).pool.Config().ConnConfig.Config
	if config.Password != "p#/@%" || config.User != "u" || config.Host != "db.example" {
		t.Errorf("connects to %s as %s, with a password of %d characters", config.Host, config.User, len(config.Password))
	}
}
