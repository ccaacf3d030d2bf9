package fcm

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// bodyRecorder is a transport without a network. It keeps the request's body.
type bodyRecorder struct {
	status int
	body   []byte
}

func (s *bodyRecorder) acquire(context.Context) (transport, error) { return s, nil }

func (s *bodyRecorder) connect(context.Context) error { return nil }

func (s *bodyRecorder) health() error { return nil }

func (s *bodyRecorder) release() {}

func (s *bodyRecorder) close() {}

func (s *bodyRecorder) post(ctx context.Context, timeout time.Duration, x *exchange) {
	postHTTP(ctx, s, timeout, x)
}

func (s *bodyRecorder) RoundTrip(req *http.Request) (*http.Response, error) {
	var err error
	s.body, err = io.ReadAll(req.Body)
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(strings.NewReader(`{"name":"projects/p/messages/1"}`))}, err
}

// Without TLS, each request in flight has a connection, and the connections are reused.
func TestPlainConnectionsAreKept(t *testing.T) {
	const inFlight = 50
	h := newBarrier(inFlight)
	var accepted atomic.Int64
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			accepted.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	s := newSender(t, Options{Endpoint: srv.URL + "/v1", Concurrency: inFlight})
	for range 4 {
		if got := sendAll(t, s, inFlight); got[Sent] != inFlight {
			t.Fatal(got)
		}
	}
	if n := accepted.Load(); n > 2*inFlight {
		t.Errorf("%d connections for %d in flight", n, inFlight)
	}
}

// A dial that its caller gave up does not count as a failure of the network.
func TestACancelledDialIsNoFailure(t *testing.T) {
	k := newPlainTransport("127.0.0.1:1", 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.dial(gone, "tcp", k.address); err == nil || k.health() != nil {
		t.Errorf("given up: %v, health %v", err, k.health())
	}
	if _, err := k.dial(t.Context(), "tcp", k.address); err == nil || k.health() == nil {
		t.Errorf("refused: %v, health %v", err, k.health())
	}
}
