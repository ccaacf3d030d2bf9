package assembly

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/test/servers"
)

// silence accepts connections and says nothing, and calls heard when the first one has come.
func listenSilently(t *testing.T, heard func()) (addr string) {
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
			heard()
		}
	}()
	return listener.Addr().String()
}

// starting is a program of which only the start matters.
func newTestDaemon(job bool, start func() error) Daemon {
	return Daemon{
		Name:         "test",
		Listen:       func(config.Settings) config.Address { return "" },
		DrainTimeout: func(config.Settings) time.Duration { return time.Hour },
		Job:          func() bool { return job },
		Start:        func(*daemon.Process, *Rooms) (func() error, error) { return nil, start() },
	}
}

// patient are settings that wait longer for an answer than this test may take.
func newPatientSettings(redis string) config.Settings {
	s := config.Defaults()
	s.Redis.URL, s.Redis.ReadTimeout = config.URL("redis://"+redis), servers.Patience
	return s
}

// A stop in the midst of the start waits for nobody, and is no fault.
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
				t.Errorf("it waited %s for an answer that nobody needs any more", took)
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

// What is wrong without anybody having asked for a stop keeps its exit code.
func TestFailedStart(t *testing.T) {
	d := newTestDaemon(true, func() error { return daemon.WithExitCode(daemon.ExitCredentials, errors.New("refused")) })
	err := d.run(t.Context(), newPatientSettings(servers.Redis(t)), slog.New(slog.DiscardHandler))
	if daemon.ExitCode(err) != daemon.ExitCredentials {
		t.Errorf("got %v", err)
	}
}
