package assembly

import (
	"crypto/tls"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/checks"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/test/servers"
)

// The check and the daemons agree: no restart cures it.
func TestUntrustedRedisIsASettingsError(t *testing.T) {
	theirs := httptest.NewTLSServer(nil) // for its certificate: of an authority that no system trusts, for 127.0.0.1
	defer theirs.Close()
	server, err := miniredis.RunTLS(&tls.Config{Certificates: theirs.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	rooms := openRooms(t, func(s *config.Settings) { s.Redis.URL = config.URL("rediss://" + server.Addr()) })
	checked := checks.Redis{Client: rooms.Redis}
	for _, f := range checked.All(t.Context()) {
		if code := daemon.ExitCode(AssignExitCode(f.Cause)); f.Grade != checks.Failure || code != daemon.ExitUsage || !strings.Contains(f.Advice, "redis.tls.ca_file") {
			t.Errorf("the check finds %+v, exit code %d", f, code)
		}
	}
	d := newTestDaemon(false, func() error { t.Error("it starts"); return nil })
	err = d.run(t.Context(), rooms.Settings, slog.New(slog.DiscardHandler))
	if daemon.ExitCode(err) != daemon.ExitUsage || !strings.Contains(err.Error(), "redis.tls.ca_file") {
		t.Errorf("a daemon ends with %d: %v", daemon.ExitCode(err), err)
	}
}

// This is a settings error too. It does not cost the timeout of each probe.
func TestErrorSaysThatOnlyOneSideSpeaksTLS(t *testing.T) {
	theirs := httptest.NewTLSServer(nil)
	defer theirs.Close()
	secured, err := miniredis.RunTLS(&tls.Config{Certificates: theirs.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer secured.Close()
	inClear := servers.Redis(t)
	for url, want := range map[string]string{
		"rediss://" + inClear:       "no TLS handshake with " + inClear + ": does this port speak TLS?",
		"redis://" + secured.Addr(): secured.Addr() + " speaks TLS: use rediss://",
	} {
		rooms := openRooms(t, func(s *config.Settings) { s.Redis.URL, s.Redis.DialTimeout = config.URL(url), 300*time.Millisecond })
		found := checks.Redis{Client: rooms.Redis}.All(t.Context())[0]
		if code := daemon.ExitCode(AssignExitCode(found.Cause)); code != daemon.ExitUsage || !strings.Contains(found.Detail, want) {
			t.Errorf("the check finds %+v, exit code %d", found, code)
		}
		d := newTestDaemon(false, func() error { t.Error("it starts"); return nil })
		err := d.run(t.Context(), rooms.Settings, slog.New(slog.DiscardHandler))
		if daemon.ExitCode(err) != daemon.ExitUsage || !strings.Contains(err.Error(), want) {
			t.Errorf("a daemon ends with %d: %v", daemon.ExitCode(err), err)
		}
	}
}

// The daemons log it when they start. The check reports it once the database replies.
func TestPlaintextDatabaseCausesAWarning(t *testing.T) {
	for url, want := range map[string]bool{
		"postgres://u:hunter2@db.example/d": true, "postgres://u:hunter2@db.example/d?sslmode=verify-full": false, "postgres://u:hunter2@127.0.0.1:1/d": false, "": false,
	} {
		var log strings.Builder
		s := config.Defaults()
		s.Redis.URL, s.Redis.ReadTimeout, s.Store.DatabaseURL = "redis://127.0.0.1:1", 1, config.URL(url)
		d := newTestDaemon(false, func() error { return nil })
		if err := d.run(t.Context(), s, slog.New(slog.NewTextHandler(&log, nil))); daemon.ExitCode(err) != daemon.ExitFault {
			t.Errorf("%s: got %v", url, err)
		}
		if got := strings.Contains(log.String(), "sslmode=verify-full"); got != want || strings.Contains(log.String(), "hunter2") {
			t.Errorf("%s: warned %t, want %t: %s", url, got, want, &log)
		}
	}
}

func TestPlaintextRedisCausesAWarning(t *testing.T) {
	for url, want := range map[string]string{
		"redis://:hunter2@redis.example:6379/0":      "redis.example",
		"redis://u:hunter2@[2001:db8::1]:6379/0":     "2001:db8::1",
		"rediss://:hunter2@redis.example:6379/0":     "",
		"redis://redis.example:6379/0":               "",
		"redis://:hunter2@127.0.0.1:6379/0":          "",
		"redis://:hunter2@localhost:6379/0":          "",
		"unix://:hunter2@/run/redis/redis.sock?db=0": "",
	} {
		rooms := openRooms(t, func(s *config.Settings) { s.Redis.URL = config.URL(url) })
		err := rooms.CheckPlaintextRedis()
		if (err != nil) != (want != "") || err != nil && (!strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%s: got %v, want a caution about %q", url, err, want)
		}
	}
}

func openRooms(t *testing.T, edit func(*config.Settings)) *Rooms {
	t.Helper()
	s := config.Defaults()
	s.Redis.URL, s.FCM.ProjectID = "redis://127.0.0.1:1", "demo"
	edit(&s)
	rooms, err := Open(t.Context(), s, "test", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rooms.Close() })
	return rooms
}
