package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

type healthReply struct {
	OK     bool
	Checks map[string]string
}

// get sends a request to the process. It closes the connection, so that no goroutine remains.
func get(t *testing.T, p *Process, path string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.Addr()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

func getHealth(t *testing.T, p *Process, path string) (int, healthReply) {
	t.Helper()
	status, body := get(t, p, path)
	var v healthReply
	if err := json.Unmarshal([]byte(body), &v); err != nil {
		t.Fatalf("%s answers %q: %v", path, body, err)
	}
	return status, v
}

func TestReadinessFollowsTheProcess(t *testing.T) {
	signals := make(chan os.Signal, 1)
	options := Options{Logger: discardLogger(), Signals: signals, Listen: "127.0.0.1:0"}
	err := Run(t.Context(), options, func(p *Process) error {
		expect := func(when string, wantStatus int, wantProcess string) {
			t.Helper()
			status, v := getHealth(t, p, "/readyz")
			if status != wantStatus || v.OK != (wantStatus == http.StatusOK) || v.Checks["process"] != wantProcess {
				t.Errorf("%s: %d %+v", when, status, v)
			}
			if status, _ := getHealth(t, p, "/livez"); status != http.StatusOK {
				t.Errorf("%s: /livez is %d", when, status)
			}
		}
		expect("before the start is done", http.StatusServiceUnavailable, "starting")
		p.Ready()
		expect("after it", http.StatusOK, "ok")
		signals <- syscall.SIGTERM
		waitUntilDone(p.FetchCtx(), t)
		expect("while draining", http.StatusServiceUnavailable, "stopping")
		p.Ready()
		expect("ready too late", http.StatusServiceUnavailable, "stopping")
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFailingChecksAreNamed(t *testing.T) {
	options := Options{Logger: discardLogger(), Signals: make(chan os.Signal), Listen: "127.0.0.1:0"}
	err := Run(t.Context(), options, func(p *Process) error {
		p.Ready()
		p.Health.AddReady("redis", func(context.Context) error { return errors.New("dial redis://u:hunter2@h: refused") })
		p.Health.AddReady("sql", func(context.Context) error { return nil })

		status, v := getHealth(t, p, "/readyz")
		if status != http.StatusServiceUnavailable || v.Checks["sql"] != "ok" || v.Checks["process"] != "ok" {
			t.Errorf("/readyz: %d %+v", status, v)
		}
		if got := v.Checks["redis"]; got != "dial redis://u:[redacted]@h: refused" {
			t.Errorf("redis: %q", got)
		}
		if status, v = getHealth(t, p, "/livez"); status != http.StatusOK || !v.OK {
			t.Errorf("a restart would not bring Redis back, but /livez is %d %+v", status, v)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestHangingCheckTimesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth()
		h.AddReady("redis", func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		})
		begun := time.Now()
		err := h.Ready(t.Context())["redis"]
		if took := time.Since(begun); !errors.Is(err, context.DeadlineExceeded) || took != 2*time.Second {
			t.Errorf("got %v after %s, want it cut off after 2 s", err, took)
		}
	})
}

func TestMetricsDescribeTheProcess(t *testing.T) {
	signals := make(chan os.Signal, 1)
	options := Options{Logger: discardLogger(), Signals: signals, Listen: "127.0.0.1:0"}
	err := Run(t.Context(), options, func(p *Process) error {
		signals <- syscall.SIGTERM
		waitUntilDone(p.FetchCtx(), t) // the drain must be visible too
		status, body := get(t, p, "/metrics")
		for _, want := range []string{"go_goroutines ", "process_cpu_seconds_total ", "go_build_info{"} {
			if !strings.Contains(body, want) {
				t.Errorf("status %d, no %s", status, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A Job can run beside a service on the same machine.
func TestSecondProcessTakesAnotherPort(t *testing.T) {
	taken := listenOn(t, "127.0.0.1:0")
	options := Options{Logger: discardLogger(), Signals: make(chan os.Signal), Listen: taken}
	err := Run(t.Context(), options, func(p *Process) error {
		if p.Addr() == taken {
			t.Error("the port is another's")
		}
		if status, _ := getHealth(t, p, "/livez"); status != http.StatusOK {
			t.Errorf("/livez is %d", status)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestPublicPortInUseIsAnError(t *testing.T) {
	_, port, err := net.SplitHostPort(listenOn(t, ":0"))
	if err != nil {
		t.Fatal(err)
	}
	err = Run(t.Context(), Options{Logger: discardLogger(), Signals: make(chan os.Signal), Listen: ":" + port}, func(*Process) error {
		t.Error("the body runs although no one can scrape it")
		return nil
	})
	if !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("got %v", err)
	}
}

func TestPublicAddressLogsAWarning(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1:0": false, ":0": true} {
		var log bytes.Buffer
		options := Options{Logger: slog.New(slog.NewTextHandler(&log, nil)), Signals: make(chan os.Signal), Listen: addr}
		if err := Run(t.Context(), options, func(*Process) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(log.String(), "without a password"); got != want {
			t.Errorf("%s: warned %v, want %v", addr, got, want)
		}
	}
}

func listenOn(t *testing.T, addr string) string {
	t.Helper()
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

// However many callers ask, and concurrent callers share one run.
func TestChecksRunOnceASecond(t *testing.T) {
	h := newHealth()
	now := time.Now()
	h.now = func() time.Time { return now }
	var runs atomic.Int64
	started, release := make(chan struct{}, 100), make(chan struct{})
	h.AddReady("redis", func(ctx context.Context) error {
		started <- struct{}{}
		<-release
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("run %d", runs.Add(1))
	})
	var asking sync.WaitGroup
	gone, cancel := context.WithCancel(t.Context())
	for range 50 {
		asking.Go(func() {
			if got := h.Ready(gone)["redis"]; got == nil || got.Error() != "run 1" {
				t.Errorf("got %v", got)
			}
		})
	}
	<-started
	cancel() // the first caller goes away
	close(release)
	asking.Wait()
	if now = now.Add(resultTTL - 1); h.Ready(t.Context())["redis"].Error() != "run 1" {
		t.Error("the checks ran again within a second")
	}
	if now = now.Add(1); h.Ready(t.Context())["redis"].Error() != "run 2" {
		t.Error("the checks did not run again after a second")
	}
	h.phase.Store(phaseStopping)
	if !errors.Is(h.Ready(t.Context())["process"], errStopping) {
		t.Error("the process's own state is a second old")
	}
	h.AddReady("sql", func(context.Context) error { return nil })
	if _, found := h.Ready(t.Context())["sql"]; !found || runs.Load() != 3 {
		t.Errorf("a new check waits for the next second; the other ran %d times", runs.Load())
	}
}
