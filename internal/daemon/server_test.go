package daemon

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Each client holds a connection in the middle of headers that never end.
func TestHealthSurvivesAFloodOfConnections(t *testing.T) {
	const attackers, headers = 220, 900 << 10
	options := Options{Logger: discardLogger(), Signals: make(chan os.Signal), Listen: "127.0.0.1:0"}
	err := Run(t.Context(), options, func(p *Process) error {
		p.Ready()
		before := heap()
		var conns []net.Conn
		var flood sync.WaitGroup
		for range attackers {
			conn, err := net.Dial("tcp", p.Addr())
			if err != nil {
				return err
			}
			conns = append(conns, conn)
			flood.Go(func() {
				_, _ = fmt.Fprintf(conn, "GET /livez HTTP/1.1\r\nHost: x\r\n")
				line := "X-" + strings.Repeat("a", 1000) + ": " + strings.Repeat("b", 1000) + "\r\n"
				for sent := 0; sent < headers; sent += len(line) {
					if _, err := conn.Write([]byte(line)); err != nil {
						return // expected
					}
				}
			})
		}
		flood.Wait()
		if grown := heap() - before; grown > 16<<20 {
			t.Errorf("the heap has grown by %d MiB", grown>>20)
		}
		if status, _ := getHealth(t, p, "/livez"); status != http.StatusOK {
			t.Errorf("/livez is %d", status)
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Idle connections take all places, and then one more opens.
func TestProbesGetInWhenAllConnectionsAreTaken(t *testing.T) {
	options := Options{Logger: discardLogger(), Signals: make(chan os.Signal), Listen: "127.0.0.1:0"}
	err := Run(t.Context(), options, func(p *Process) error {
		p.Ready()
		first, err := net.Dial("tcp", p.Addr())
		if err != nil {
			return err
		}
		defer first.Close()
		for range maxConns {
			conn, err := net.Dial("tcp", p.Addr())
			if err != nil {
				return err
			}
			defer conn.Close()
		}
		if status, _ := getHealth(t, p, "/livez"); status != http.StatusOK {
			t.Errorf("/livez is %d", status)
		}
		_ = first.SetReadDeadline(time.Now().Add(4 * time.Second)) // the server's own timeout is longer
		if _, err := first.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the oldest connection is still open: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// The timeouts are too long to wait for, so the test reads the configuration.
func TestTheServerHasEveryLimit(t *testing.T) {
	s, err := newServer(t.Context(), "127.0.0.1:0", http.NotFoundHandler(), discardLogger())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.close(context.WithoutCancel(t.Context())) }()
	if s.http.MaxHeaderBytes != 8<<10 {
		t.Errorf("headers of %d bytes are read", s.http.MaxHeaderBytes)
	}
	for name, c := range map[string]struct{ limit, want time.Duration }{
		"header": {s.http.ReadHeaderTimeout, 5 * time.Second}, "read": {s.http.ReadTimeout, 10 * time.Second},
		"write": {s.http.WriteTimeout, 30 * time.Second}, "idle": {s.http.IdleTimeout, 2 * time.Minute},
	} {
		if c.limit != c.want {
			t.Errorf("%s timeout is %s, want %s", name, c.limit, c.want)
		}
	}
}

// Closed connections no longer count.
func TestOnlyTheOldestConnectionIsClosed(t *testing.T) {
	var config net.ListenConfig
	listener, err := config.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	limited := LimitConns(listener, 2)
	defer limited.Close()
	open := func() net.Conn {
		client, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		accepted, err := limited.Accept()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = accepted.Close() })
		return accepted
	}
	isOpen := func(c net.Conn) bool { return !errors.Is(c.SetDeadline(time.Time{}), net.ErrClosed) }
	first, second := open(), open()
	if !isOpen(first) || !isOpen(second) {
		t.Error("a connection within the limit was closed")
	}
	_ = first.Close()
	third := open()
	if !isOpen(second) || !isOpen(third) {
		t.Error("a connection that was closed still has its place")
	}
	fourth := open()
	if isOpen(second) || !isOpen(third) || !isOpen(fourth) {
		t.Error("it is not the oldest alone that gave way")
	}
}

// slowCollector blocks each scrape.
type slowCollector struct {
	prometheus.Collector
	begun, end chan struct{}
}

func (c slowCollector) Collect(out chan<- prometheus.Metric) {
	c.begun <- struct{}{}
	<-c.end
	c.Collector.Collect(out)
}

func TestConcurrentScrapesAreLimited(t *testing.T) {
	slow := slowCollector{prometheus.NewGauge(prometheus.GaugeOpts{Name: "slow"}), make(chan struct{}), make(chan struct{})}
	registry := newRegistry()
	registry.MustRegister(slow)
	h := handler(newHealth(), registry)
	scrape := func() int {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
		return answer.Code
	}
	var scrapes sync.WaitGroup
	for range maxScrapes {
		scrapes.Go(func() {
			if code := scrape(); code != http.StatusOK {
				t.Errorf("a scrape is answered %d", code)
			}
		})
		<-slow.begun
	}
	refused := make(chan int, 1)
	go func() { refused <- scrape() }()
	select {
	case code := <-refused:
		if code != http.StatusServiceUnavailable {
			t.Errorf("one too many is answered %d", code)
		}
	case <-slow.begun:
		t.Error("one too many gathers the metrics")
	}
	close(slow.end)
	scrapes.Wait()
}

func TestHealthIsNeverCached(t *testing.T) {
	answer := httptest.NewRecorder()
	handler(newHealth(), newRegistry()).ServeHTTP(answer, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/readyz", nil))
	if h := answer.Header(); answer.Code != http.StatusServiceUnavailable || h.Get("Cache-Control") != "no-store" || h.Get("Content-Type") != "application/json" {
		t.Errorf("%d with %v", answer.Code, h)
	}
}
