package fcmsim

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestListenersSurviveAFlood sends endless headers to all listeners of a simulator.
func TestListenersSurviveAFlood(t *testing.T) {
	const attackers, headers = 220, 900 << 10
	srv := serving(t)
	for name, url := range map[string]string{"HTTP": srv.URLs.HTTP, "admin": srv.URLs.Admin, "TLS": srv.URLs.TLS} {
		dial := func() (net.Conn, error) { return net.Dial("tcp", hostOf(url)) }
		if name == "TLS" {
			dial = func() (net.Conn, error) {
				return tls.Dial("tcp", hostOf(url), &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
			}
		}
		before := heap()
		var conns []io.Closer
		var mu sync.Mutex
		var flood sync.WaitGroup
		for range attackers {
			flood.Go(func() {
				conn, err := dial()
				if err != nil {
					return // the listener is full
				}
				mu.Lock()
				conns = append(conns, conn)
				mu.Unlock()
				_, _ = fmt.Fprintf(conn, "GET /admin/counts HTTP/1.1\r\nHost: 127.0.0.1\r\n")
				line := "X-" + strings.Repeat("a", 1000) + ": " + strings.Repeat("b", 1000) + "\r\n"
				for sent := 0; sent < headers; sent += len(line) {
					if _, err := conn.Write([]byte(line)); err != nil {
						return
					}
				}
			})
		}
		flood.Wait()
		if grown := heap() - before; grown > 64<<20 { // most of it the buffers of links
			t.Errorf("%s: the heap has grown by %d MiB", name, grown>>20)
		}
		for _, conn := range conns {
			_ = conn.Close()
		}
	}
	if status := adminStatus(t, srv, ""); status != http.StatusOK {
		t.Errorf("the admin API answers %d", status)
	}
}

func serving(t *testing.T) *Server {
	t.Helper()
	sim, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	srv, err := sim.Start(t.Context(), Listen{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

func hostOf(url string) string {
	_, rest, _ := strings.Cut(url, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// adminStatus requests the counts with a Host header; "" is the API's own.
func adminStatus(t *testing.T, srv *Server, host string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URLs.Admin+"/counts", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host, request.Close = host, true
	response, err := http.DefaultTransport.RoundTrip(request)
	for err != nil && t.Context().Err() == nil { // closed connections may still hold their places
		runtime.Gosched()
		response, err = http.DefaultTransport.RoundTrip(request)
	}
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// TestAdminAPIChecksTheHost refuses a page whose name resolves to this machine.
func TestAdminAPIChecksTheHost(t *testing.T) {
	srv := serving(t)
	_, port, err := net.SplitHostPort(hostOf(srv.URLs.Admin))
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]int{
		"": 200, "localhost:" + port: 200, "127.0.0.1": 200, "[::1]:" + port: 200, "LOCALHOST": 200,
		"evil.example:" + port: 403, "evil.example": 403, "127.0.0.1.evil.example": 403, "localhost.evil.example:" + port: 403, "10.0.0.1": 403,
	} {
		if got := adminStatus(t, srv, host); got != want {
			t.Errorf("as %q: got %d, want %d", host, got, want)
		}
	}
	everywhere := &net.TCPAddr{IP: net.IPv4zero, Port: 1}
	for host, want := range map[string]bool{"10.0.0.1": true, "simulator": true, "evil.example": false} {
		reached := false
		h := requireLocalHost(everywhere, "simulator:1", http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
		h.ServeHTTP(discard{http.Header{}}, &http.Request{Host: host})
		if reached != want {
			t.Errorf("as %q where it listens on all addresses: reached %t", host, reached)
		}
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}

// A connection that ends frees its place.
func TestConnectionsBeyondTheLimitAreClosed(t *testing.T) {
	inner, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln := newLimitedListener(inner, 1)
	defer ln.Close()
	accepted := make(chan net.Conn, 2)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	dial := func() net.Conn {
		c, err := new(net.Dialer).DialContext(context.WithoutCancel(t.Context()), "tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	dial()
	first := <-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a second connection is kept")
	}
	_ = first.Close()
	dial()
	_ = (<-accepted).Close()
}

// TestAdminAPILimitsConnections opens idle connections until one is closed at once.
func TestAdminAPILimitsConnections(t *testing.T) {
	srv := serving(t)
	var last net.Conn
	for range maxAdminConns + 1 {
		conn, err := net.Dial("tcp", hostOf(srv.URLs.Admin))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		last = conn
	}
	_ = last.SetReadDeadline(time.Now().Add(4 * time.Second)) // the server's own timeout is longer
	if _, err := last.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("one connection too many is kept: %v", err)
	}
}

// TestListenersHaveTimeouts reads the configuration, because no test can wait for these timeouts.
func TestListenersHaveTimeouts(t *testing.T) {
	srv := serving(t)
	for _, server := range srv.servers {
		if server.MaxHeaderBytes != maxHeader || server.ReadHeaderTimeout <= 0 || server.IdleTimeout <= 0 || server.ReadHeaderTimeout > time.Minute {
			t.Errorf("headers of %d bytes within %s, idle for %s", server.MaxHeaderBytes, server.ReadHeaderTimeout, server.IdleTimeout)
		}
	}
	if admin := srv.servers[len(srv.servers)-1]; admin.ReadTimeout <= 0 || admin.WriteTimeout <= 0 {
		t.Errorf("the admin API reads for %s, writes for %s", admin.ReadTimeout, admin.WriteTimeout)
	}
}
