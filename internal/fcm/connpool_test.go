package fcm

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// barrier answers requests only when size of them are in flight.
type barrier struct {
	size    int
	mu      sync.Mutex
	inside  int
	open    chan struct{}
	entered atomic.Int64
}

func newBarrier(size int) *barrier { return &barrier{size: size, open: make(chan struct{})} }

func (b *barrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.entered.Add(1)
	b.mu.Lock()
	open := b.open
	if b.inside++; b.inside == b.size {
		close(open)
		b.inside, b.open = 0, make(chan struct{})
	}
	b.mu.Unlock()
	select {
	case <-open:
		accept(w, r)
	case <-r.Context().Done():
	}
}

func sendAll(t *testing.T, s *Sender, n int) map[Class]int {
	t.Helper()
	answers := make(chan Answer, n)
	for range n {
		go func() { answers <- s.Send(t.Context(), body("token"), to("token")) }()
	}
	classes := map[Class]int{}
	for range n {
		a := <-answers
		if classes[a.Class]++; a.Class != Sent && classes[a.Class] == 1 {
			t.Logf("%s: %s", a.Class, a.Detail)
		}
	}
	return classes
}

func TestAThousandInFlightNeedFewConnections(t *testing.T) {
	const inFlight = 1000
	h := newBarrier(inFlight)
	srv := serve(t, func(s *httptest.Server) { s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100} }, h.ServeHTTP)
	o := srv.options
	o.Concurrency = inFlight
	s := newSender(t, o)
	for round := range 3 {
		if got := sendAll(t, s, inFlight); got[Sent] != inFlight {
			t.Fatalf("round %d: %v", round, got)
		}
	}
	if n := srv.accepted.Load(); n < 10 || n > 12 {
		t.Errorf("%d connections dialed, want 10 to 12", n)
	}
}

// Connections that die together are dialed again, each of them once.
func TestConnectionsComeBackWithoutABurst(t *testing.T) {
	const inFlight = 300
	h := newBarrier(inFlight)
	var kill atomic.Bool
	var srv *server
	srv = serve(t, nil, func(w http.ResponseWriter, r *http.Request) {
		if !kill.Load() {
			h.ServeHTTP(w, r)
			return
		}
		if h.entered.Add(1) == 2*inFlight {
			srv.CloseClientConnections()
		}
		<-r.Context().Done()
	})
	o := srv.options
	o.Concurrency = inFlight
	s := newSender(t, o)
	if got := sendAll(t, s, inFlight); got[Sent] != inFlight {
		t.Fatalf("at first: %v", got)
	}
	first := srv.accepted.Load()
	kill.Store(true)
	if got := sendAll(t, s, inFlight); got[Ambiguous] != inFlight {
		t.Fatalf("cut off: %v", got)
	}
	kill.Store(false)
	if got := sendAll(t, s, inFlight); got[Sent] != inFlight {
		t.Fatalf("afterwards: %v", got)
	}
	if n := srv.accepted.Load(); n > 2*first+2 {
		t.Errorf("%d connections dialed, %d of them before the cut", n, first)
	}
}

// newTestPool creates a pool for an address, with a clock that the test sets.
func newTestPool(t *testing.T, address string, config *tls.Config, o Options) (*connPool, *atomic.Int64) {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	m, err := newMetrics(o.Registerer)
	if err != nil {
		t.Fatal(err)
	}
	p := newConnPool(t.Context(), address, config, o, &url.URL{Scheme: "https", Host: address, Path: "/"}, m)
	clock := new(atomic.Int64)
	p.now = func() time.Time { return time.Unix(0, clock.Load()) }
	t.Cleanup(p.close)
	return p, clock
}

// mustAnswer is acquire with a deadline, so that a test does not hang.
func (p *connPool) mustAnswer(t *testing.T) (transport, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return p.acquire(ctx)
}

func TestWaitingForAStream(t *testing.T) {
	srv := serve(t, nil, accept)
	p, _ := newTestPool(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1})
	var current []transport
	for range p.maxConns() {
		got, err := p.mustAnswer(t)
		if err != nil {
			t.Fatal(err)
		}
		current = append(current, got)
	}

	impatient, leave := context.WithCancel(t.Context())
	leave()
	if _, err := p.acquire(impatient); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiter that leaves: %v", err)
	}

	next := make(chan transport, 1)
	waiting := make(chan error, 1)
	go func() {
		got, err := p.mustAnswer(t)
		next <- got
		waiting <- err
	}()
	current[0].release()
	if got, err := <-next, <-waiting; err != nil || got != current[0] {
		t.Errorf("got %v, %v; want the connection that became free", got, err)
	}
	if n := srv.accepted.Load(); n != int64(len(current)) {
		t.Errorf("%d connections, want %d", n, len(current))
	}

	go func() {
		_, err := p.mustAnswer(t)
		waiting <- err
	}()
	p.close()
	if err := <-waiting; !errors.Is(err, errClosed) {
		t.Errorf("a waiter at close: %v", err)
	}
	if _, err := p.mustAnswer(t); !errors.Is(err, errClosed) {
		t.Errorf("after close: %v", err)
	}
}

// A stream that a waiter gets while it gives up is not lost.
func TestAStreamIsNotLostOnACancelledWait(t *testing.T) {
	srv := serve(t, nil, accept)
	p, _ := newTestPool(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1})
	got, err := p.mustAnswer(t)
	if err != nil {
		t.Fatal(err)
	}
	wait := make(chan acquireResult, 1)
	wait <- acquireResult{conn: got.(*pooledConn)}
	p.cancelWait(wait)
	if n := got.(*pooledConn).inFlight; n != 0 {
		t.Errorf("%d still in flight", n)
	}
}

// A server without HTTP/2 gets a connection for each request in flight.
func TestTLSWithoutHTTP2(t *testing.T) {
	const inFlight = 20
	h := newBarrier(inFlight)
	srv := serve(t, func(s *httptest.Server) { s.EnableHTTP2 = false }, h.ServeHTTP)
	o := srv.options
	o.Concurrency = inFlight
	s := newSender(t, o)
	for range 2 {
		if got := sendAll(t, s, inFlight); got[Sent] != inFlight {
			t.Fatal(got)
		}
	}
}

// Until a server announces its stream limit, it refuses more on each new connection. Afterwards
// requests wait.
func TestAServerThatTakesFewStreams(t *testing.T) {
	srv := serve(t, func(s *httptest.Server) { s.Config.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 3} }, accept)
	s := newSender(t, srv.options)
	const inFlight = 60
	most := s.transport.transports.(*connPool).maxConns()
	for range most + 1 {
		got := sendAll(t, s, inFlight)
		if got[Sent] == inFlight {
			return
		}
		if got[Sent]+got[NotSent] != inFlight {
			t.Fatal(got)
		}
	}
	t.Errorf("requests are still refused when all %d connections are known", most)
}

// A server may close idle connections at any time.
func TestIdleConnectionsClosedByTheServer(t *testing.T) {
	srv := serve(t, nil, accept)
	s := newSender(t, srv.options)
	if a := s.Send(t.Context(), body("token"), to("token")); a.Class != Sent {
		t.Fatal(a)
	}
	pool := s.transport.transports.(*connPool)
	pool.mu.Lock()
	conn := pool.conns[0]
	pool.mu.Unlock()
	srv.CloseClientConnections()
	for conn.Err() == nil {
		runtime.Gosched() // the connection notices at its next read
	}
	if a := s.Send(t.Context(), body("token"), to("token")); a.Class != Sent {
		t.Errorf("got %s: %s", a.Class, a.Detail)
	}
	if n := srv.accepted.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// An idle connection that takes no request is closing, so it is dropped. One with a request in
// flight is only full.
func TestPruneDropsAnIdleConnectionThatRefuses(t *testing.T) {
	srv := serve(t, func(s *httptest.Server) { s.EnableHTTP2 = false }, accept)
	reg := prometheus.NewRegistry()
	p, _ := newTestPool(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1, Registerer: reg})
	got, err := p.mustAnswer(t)
	if err != nil {
		t.Fatal(err)
	}
	only := got.(*pooledConn)
	if err := only.connection.(httpConn).Reserve(); err != nil || only.Available() != 0 || only.Err() != nil {
		t.Fatalf("%d requests fit, errors %v and %v", only.Available(), err, only.Err())
	}
	inspect := func(what string, open int) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.pruneConns()
		if len(p.conns) != open {
			t.Errorf("%s: %d connections are open, want %d", what, len(p.conns), open)
		}
	}
	inspect("in use", 1)
	if n := connections(t, reg); n != 1 {
		t.Errorf("%g connections are counted, want 1", n)
	}
	got.release()
	inspect("idle", 0)
	if n := connections(t, reg); n != 0 {
		t.Errorf("%g connections are counted, want none", n)
	}
	if _, err := p.mustAnswer(t); err != nil || connections(t, reg) != 1 {
		t.Errorf("%v, and %g connections are counted, want 1", err, connections(t, reg))
	}
	if p.close(); connections(t, reg) != 0 {
		t.Errorf("%g connections are counted after the end", connections(t, reg))
	}
}

// connections returns the gauge of open connections.
func connections(t *testing.T, reg *prometheus.Registry) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		if f.GetName() == "fanfare_fcm_connections" {
			return f.Metric[0].GetGauge().GetValue()
		}
	}
	return -1
}

// net/http makes the connections of the SDK, and those through a proxy.
func TestChoiceOfConnections(t *testing.T) {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"} {
		t.Setenv(name, "")
	}
	want := func(what, client, address string, own bool) {
		t.Helper()
		if usesOwnConns(Options{Client: client}, address) != own {
			t.Errorf("%s: our own connections: %t, want %t", what, !own, own)
		}
	}
	want("no proxy", ClientOwn, "fcm.test:443", true)
	want("the SDK", ClientSDK, "fcm.test:443", false)
	t.Setenv("HTTPS_PROXY", "http://proxy.test:3128")
	want("a proxy", ClientOwn, "fcm.test:443", false)
	t.Setenv("NO_PROXY", "fcm.test")
	want("an exception", ClientOwn, "fcm.test:443", true)
	t.Setenv("NO_PROXY", "")
	t.Setenv("HTTPS_PROXY", "http://[bad")
	want("an unreadable proxy", ClientOwn, "fcm.test:443", false)
}
