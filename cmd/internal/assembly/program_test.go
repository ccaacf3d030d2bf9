package assembly

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/test/servers"
)

// One script writes results to another slot than their campaign's. A cluster refuses it once there
// are results.
func TestStartRefusesAClusterInStandaloneMode(t *testing.T) {
	s := config.Defaults()
	s.Redis.URL = config.URL("redis://" + servers.Redis(t, "--cluster-enabled", "yes"))
	rooms, err := Open(t.Context(), s, "test", slog.New(slog.DiscardHandler), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = rooms.Close() })
	err = rooms.checkRedis(t.Context())
	if daemon.ExitCode(err) != daemon.ExitUsage || !strings.Contains(err.Error(), "set redis.mode: cluster") {
		t.Errorf("got %v, want exit code %d and what to set", err, daemon.ExitUsage)
	}
}

// The setting permits a Redis that may evict audiences.
func TestEvictionIsAllowedBySetting(t *testing.T) {
	addr := servers.Redis(t, "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru")
	for _, allowed := range []bool{false, true} {
		rooms := openRooms(t, func(s *config.Settings) {
			s.Redis.URL, s.Redis.AllowVolatileEviction = config.URL("redis://"+addr), allowed
		})
		if err := rooms.checkRedis(t.Context()); (err == nil) != allowed {
			t.Errorf("allowed %t: got %v", allowed, err)
		}
	}
}

// The program's settings reach the options of daemon.Run.
func TestAProgramsOwnSettings(t *testing.T) {
	d := Daemon{
		Name:         "test",
		Listen:       func(s config.Settings) config.Address { return s.HTTP.Responder },
		DrainTimeout: func(s config.Settings) time.Duration { return s.Responder.Drain },
	}
	s := config.Defaults()
	s.HTTP.Responder, s.Responder.Drain = "127.0.0.1:7", 7*time.Second
	if o := d.options(s, slog.New(slog.DiscardHandler)); o.Name != "test" || o.Listen != "127.0.0.1:7" || o.DrainTimeout != 7*time.Second || o.Logger == nil {
		t.Errorf("got %+v", o)
	}
}

// listenSilently accepts connections and calls onConnect, but never replies.
func listenSilently(t *testing.T, onConnect func()) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			defer func() { _ = conn.Close() }()
			onConnect()
		}
	}()
	return listener.Addr().String()
}

// newTestDaemon makes a program of which only the start matters.
func newTestDaemon(job bool, start func() error) Daemon {
	return Daemon{
		Name:         "test",
		Listen:       func(config.Settings) config.Address { return "" },
		DrainTimeout: func(config.Settings) time.Duration { return time.Hour },
		Job:          func() bool { return job },
		Start:        func(*daemon.Process, *Rooms) (func() error, error) { return nil, start() },
	}
}

// newPatientSettings wait longer for a reply than the test may take.
func newPatientSettings(redis string) config.Settings {
	s := config.Defaults()
	s.Redis.URL, s.Redis.ReadTimeout = config.URL("redis://"+redis), servers.Patience
	return s
}

// A stop during the start waits for nothing, and is no fault.
func TestStopDuringTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		job  bool
		want int
	}{"of a service": {false, daemon.ExitOK}, "of a Job": {true, daemon.ExitLeftover}} {
		expect := func(t *testing.T, began time.Time, err error) {
			t.Helper()
			if code := daemon.ExitCode(err); code != c.want {
				t.Errorf("exit code %d, want %d: %v", code, c.want, err)
			}
			if took := time.Since(began); took >= servers.Patience {
				t.Errorf("it waited %s for an answer that no one needs any more", took)
			}
		}
		t.Run(name+" while Redis is silent", func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			d := newTestDaemon(c.job, func() error {
				t.Error("it starts on a Redis that says nothing")
				return nil
			})
			began := time.Now()
			expect(t, began, d.run(ctx, newPatientSettings(listenSilently(t, stop)), slog.New(slog.DiscardHandler)))
		})
		t.Run(name+" while something else hangs", func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			d := newTestDaemon(c.job, func() error {
				stop()
				<-t.Context().Done()
				return t.Context().Err()
			})
			began := time.Now()
			expect(t, began, d.run(ctx, newPatientSettings(servers.Redis(t)), slog.New(slog.DiscardHandler)))
		})
	}
}

// An error without a stop keeps its exit code.
func TestFailedStart(t *testing.T) {
	d := newTestDaemon(true, func() error { return daemon.WithExitCode(daemon.ExitCredentials, errors.New("refused")) })
	err := d.run(t.Context(), newPatientSettings(servers.Redis(t)), slog.New(slog.DiscardHandler))
	if daemon.ExitCode(err) != daemon.ExitCredentials {
		t.Errorf("got %v", err)
	}
}
