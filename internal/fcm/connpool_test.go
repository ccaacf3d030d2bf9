package fcm

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// hall lets requests go when so many are inside at a time.
type barrier struct {
	size    int
	mu      sync.Mutex
	inside  int
	open    chan struct{}
	entered atomic.Int64
}

func newBarrier(size int) *barrier { return &barrier{size: size, open: make(chan struct{})} }

func (h *barrier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.entered.Add(1)
	h.mu.Lock()
	open := h.open
	if h.inside++; h.inside == h.size {
		close(open)
		h.inside, h.open = 0, make(chan struct{})
	}
	h.mu.Unlock()
	select {
	case <-open:
		accept(w, r)
	case <-r.Context().Done():
	}
}

func sendAll(t *testing.T, s *Sender, n int) map[Class]int {
	t.Helper()
	m := parse(t, hello)
	answers := make(chan Answer, n)
	for range n {
		go func() { answers <- s.Send(t.Context(), m, to("token")) }()
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
	if n := srv.accepted.Load(); n < 10 || n > 15 {
		t.Errorf("%d connections dialed, want 10 to 15", n)
	}
}

// Connections that die at once are dialed anew, each of them once.
func TestLanesComeBackWithoutAStampede(t *testing.T) {
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

// newTestLanes makes lanes to an address, with a clock of the test's.
func newTestPool(t *testing.T, address string, config *tls.Config, o Options) (*connPool, *atomic.Int64) {
	t.Helper()
	o.Logger = slog.New(slog.DiscardHandler)
	m, err := newMetrics(o.Registerer)
	if err != nil {
		t.Fatal(err)
	}
	l := newConnPool(t.Context(), address, config, o, m)
	clock := new(atomic.Int64)
	l.now = func() time.Time { return time.Unix(0, clock.Load()) }
	t.Cleanup(l.close)
	return l, clock
}

// soon is acquire for a test that would hang if no one answered.
func (l *connPool) mustAnswer(t *testing.T) (transport, error) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return l.acquire(ctx)
}

func TestWaitingForAStream(t *testing.T) {
	srv := serve(t, nil, accept)
	l, _ := newTestPool(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1})
	var current []transport
	for range l.maxConns() {
		got, err := l.mustAnswer(t)
		if err != nil {
			t.Fatal(err)
		}
		current = append(current, got)
	}

	impatient, leave := context.WithCancel(t.Context())
	leave()
	if _, err := l.acquire(impatient); !errors.Is(err, context.Canceled) {
		t.Errorf("a waiter that leaves: %v", err)
	}

	next := make(chan transport, 1)
	waiting := make(chan error, 1)
	go func() {
		got, err := l.mustAnswer(t)
		next <- got
		waiting <- err
	}()
	current[0].release()
	if got, err := <-next, <-waiting; err != nil || got != current[0] {
		t.Errorf("got %v, %v; want the lane that became free", got, err)
	}
	if n := srv.accepted.Load(); n != int64(len(current)) {
		t.Errorf("%d connections, want %d", n, len(current))
	}

	go func() {
		_, err := l.mustAnswer(t)
		waiting <- err
	}()
	l.close()
	if err := <-waiting; !errors.Is(err, errClosed) {
		t.Errorf("a waiter at close: %v", err)
	}
	if _, err := l.mustAnswer(t); !errors.Is(err, errClosed) {
		t.Errorf("after close: %v", err)
	}
}

// What a waiter is granted while it leaves is not lost.
func TestAGrantIsNotLostOnALeaver(t *testing.T) {
	srv := serve(t, nil, accept)
	l, _ := newTestPool(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1})
	got, err := l.mustAnswer(t)
	if err != nil {
		t.Fatal(err)
	}
	wait := make(chan acquireResult, 1)
	wait <- acquireResult{conn: got.(*pooledConn)}
	l.cancelWait(wait)
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

// Until a server has told how few streams it takes, it refuses what is above, on each new connection. Then requests wait their turn.
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
	m := parse(t, hello)
	if a := s.Send(t.Context(), m, to("token")); a.Class != Sent {
		t.Fatal(a)
	}
	pool := s.transport.transports.(*connPool)
	pool.mu.Lock()
	conn := pool.conns[0].ClientConn
	pool.mu.Unlock()
	ended := make(chan struct{}, 1)
	conn.SetStateHook(func(c *http.ClientConn) {
		if c.Err() != nil {
			select {
			case ended <- struct{}{}:
			default:
			}
		}
	})
	srv.CloseClientConnections()
	<-ended
	if a := s.Send(t.Context(), m, to("token")); a.Class != Sent {
		t.Errorf("got %s: %s", a.Class, a.Detail)
	}
	if n := srv.accepted.Load(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
}

// A connection that takes no request although it carries none is closing, and is dropped. One that carries a request is only full.
func TestInspectDropsAnIdleLaneThatRefuses(t *testing.T) {
	srv := serve(t, func(s *httptest.Server) { s.EnableHTTP2 = false }, accept)
	reg := prometheus.NewRegistry()
	l, _ := newTestPool(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1, Registerer: reg})
	got, err := l.mustAnswer(t)
	if err != nil {
		t.Fatal(err)
	}
	only := got.(*pooledConn)
	if err := only.Reserve(); err != nil || only.Available() != 0 || only.Err() != nil {
		t.Fatalf("%d requests fit, errors %v and %v", only.Available(), err, only.Err())
	}
	inspect := func(what string, open int) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.pruneConns()
		if len(l.conns) != open {
			t.Errorf("%s: %d connections are open, want %d", what, len(l.conns), open)
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
	if _, err := l.mustAnswer(t); err != nil || connections(t, reg) != 1 {
		t.Errorf("%v, and %g connections are counted, want 1", err, connections(t, reg))
	}
	if l.close(); connections(t, reg) != 0 {
		t.Errorf("%g connections are counted after the end", connections(t, reg))
	}
}

// connections is the gauge of open connections.
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
