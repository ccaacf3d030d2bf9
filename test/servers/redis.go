package servers

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// Redis starts a redis-server and returns its address. Settings are given as on its command line:
// Redis(t, "--maxmemory", "2mb"). By default it persists nothing. It stops when the test ends.
func Redis(t testing.TB, settings ...string) (addr string) {
	t.Helper()
	return startRedis(t, "redis-server", settings)
}

// Valkey starts a valkey-server in the same way.
func Valkey(t testing.TB, settings ...string) (addr string) {
	t.Helper()
	return startRedis(t, "valkey-server", settings)
}

// startAttempts is above 1, since another process may take a free port before the server does.
const startAttempts = 5

func startRedis(t testing.TB, name string, settings []string) (addr string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		t.Fatalf("this test needs %s. Type: tools/test-servers.sh, which installs it or says how", name)
	}
	var problems []error
	for range startAttempts {
		port := redisPort(t)
		base := []string{
			"--port", strconv.Itoa(port), "--bind", "127.0.0.1", "--dir", t.TempDir(),
			"--save", "", "--appendonly", "no", "--loglevel", "notice",
		}
		if err := runRedis(t, exec.Command(program, append(base, settings...)...)); err != nil {
			problems = append(problems, err)
			continue
		}
		return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	t.Fatalf("start %s: %v", name, errors.Join(problems...))
	return ""
}

// runRedis starts the server. It returns when the log says that it accepts connections, or that it
// ended.
func runRedis(t testing.TB, cmd *exec.Cmd) error {
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	KillWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return err
	}
	ready := make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() {
		ready <- awaitReady(out)
		_, _ = io.Copy(io.Discard, out) // the server must never block on its log
	})
	stop := func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait()
	}
	if err := <-ready; err != nil {
		stop()
		return err
	}
	t.Cleanup(stop)
	return nil
}

// awaitReady reads the log until the server is ready. Otherwise it returns the last lines as an
// error.
func awaitReady(log io.Reader) error {
	var seen []string
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Ready to accept connections") {
			return nil
		}
		seen = append(seen, lines.Text())
	}
	return fmt.Errorf("the server ended: %s", strings.Join(seen[max(0, len(seen)-3):], "; "))
}

// redisPort finds a free port whose cluster bus port, 10,000 above it, exists too.
func redisPort(t testing.TB) int {
	t.Helper()
	const highest = 65535 - 10000
	for range 100 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if port <= highest {
			return port
		}
	}
	t.Fatalf("find a free port: none below %d", highest)
	return 0
}

// AvoidHourChange waits if the hour is about to change by the server's clock, which a test cannot
// set. Hourly counts start again at that moment.
func AvoidHourChange(t testing.TB, rdb redis.Cmdable) {
	t.Helper()
	const (
		behind = 5 * time.Second  // how far the clocks of a test's replicas may run ahead of the server's
		ahead  = 20 * time.Second // more than a test takes
	)
	Eventually(t, "the turn of the hour is not near", func() bool {
		now, err := rdb.Time(t.Context()).Result()
		if err != nil {
			t.Fatalf("read the server's clock: %v", err)
		}
		passed := now.Sub(now.Truncate(time.Hour))
		return passed > behind && time.Hour-passed > ahead
	})
}
