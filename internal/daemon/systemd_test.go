package daemon

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// listenAsSystemd listens where NOTIFY_SOCKET points, in place of the service manager.
func listenAsSystemd(t *testing.T, watchdogEvery time.Duration) *net.UnixConn {
	t.Helper()
	addr := &net.UnixAddr{Name: filepath.Join(t.TempDir(), "notify"), Net: "unixgram"}
	socket, err := net.ListenUnixgram(addr.Net, addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	t.Setenv("NOTIFY_SOCKET", addr.Name)
	if watchdogEvery > 0 {
		t.Setenv("WATCHDOG_USEC", strconv.FormatInt(watchdogEvery.Microseconds(), 10))
		t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	}
	return socket
}

func receive(t *testing.T, socket *net.UnixConn) string {
	t.Helper()
	deadline, _ := t.Deadline()
	if err := socket.SetReadDeadline(deadline); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 256)
	n, err := socket.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	return string(buffer[:n])
}

func TestSystemdIsNotified(t *testing.T) {
	socket := listenAsSystemd(t, 0)
	signals := make(chan os.Signal, 1)
	err := Run(t.Context(), Options{Logger: discardLogger(), Signals: signals}, func(p *Process) error {
		p.Ready()
		if got := receive(t, socket); got != "READY=1" {
			t.Errorf("told %q", got)
		}
		signals <- syscall.SIGTERM
		waitUntilDone(p.FetchCtx(), t)
		if got := receive(t, socket); got != "STOPPING=1" {
			t.Errorf("told %q", got)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestWatchdogIsNotifiedWhileTheProcessLives(t *testing.T) {
	socket := listenAsSystemd(t, 20*time.Millisecond)
	if got := watchdogInterval(discardLogger()); got != 10*time.Millisecond {
		t.Errorf("systemd is told every %s, want twice as often as it asks for", got)
	}
	err := Run(t.Context(), Options{Logger: discardLogger(), Signals: make(chan os.Signal)}, func(*Process) error {
		for range 3 {
			if got := receive(t, socket); got != "WATCHDOG=1" {
				t.Errorf("told %q", got)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
