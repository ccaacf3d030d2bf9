package fcm

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// After Check, the first message has a connection, so no claimed recipient waits for the handshake.
func TestCheckConnects(t *testing.T) {
	srv := serve(t, nil, accept)
	s := newSender(t, srv.options)
	for range 2 {
		if err := s.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := srv.accepted.Load(); n != 1 || srv.requests.Load() != 0 {
		t.Errorf("%d connections and %d requests by the check, want one connection", n, srv.requests.Load())
	}
	if a := s.Send(t.Context(), body("token"), to("token")); a.Class != Sent || srv.accepted.Load() != 1 {
		t.Errorf("got %s over %d connections", a.Class, srv.accepted.Load())
	}
}

// Check finds a wrong address or authority before any recipient is claimed, and distinguishes it
// from an outage.
func TestCheckTellsWhyNothingCanBeSent(t *testing.T) {
	srv := serve(t, nil, accept)
	gone := httptest.NewServer(nil)
	gone.Close()
	for name, c := range map[string]struct {
		o         Options
		untrusted bool
	}{
		"no one there":             {Options{Endpoint: strings.Replace(gone.URL, "http:", "https:", 1) + "/v1"}, false},
		"no one there, plain":      {Options{Endpoint: gone.URL + "/v1"}, false},
		"an unknown authority":     {Options{Endpoint: srv.URL + "/v1"}, true},
		"made out to another host": {Options{Endpoint: strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) + "/v1", RootCAs: srv.options.RootCAs}, true},
	} {
		s := newSender(t, c.o)
		if err := s.Health(); err != nil {
			t.Errorf("%s: unhealthy before anything was tried: %v", name, err)
		}
		err := s.Check(t.Context())
		if err == nil || IsUntrusted(err) != c.untrusted || !strings.Contains(err.Error(), "connect to ") {
			t.Errorf("%s: got %v, untrusted: %t", name, err, IsUntrusted(err))
		}
		o := c.o
		o.Logger = slog.New(slog.DiscardHandler)
		if alone := ProbeEndpoint(t.Context(), o); alone == nil || alone.Error() != err.Error() {
			t.Errorf("%s: without a sender: %v", name, alone)
		}
		if health := s.Health(); health == nil || health.Error() != err.Error() {
			t.Errorf("%s: health is %v", name, health)
		}
	}
}

// An error stays until there is a connection again.
func TestHealthRecoversWithTheNextConnection(t *testing.T) {
	srv := httptest.NewUnstartedServer(nil)
	address := srv.Listener.Addr().String()
	_ = srv.Listener.Close()
	s := newSender(t, Options{Endpoint: "http://" + address + "/v1"})
	if err := s.Check(t.Context()); err == nil || s.Health() == nil {
		t.Fatalf("no one listens: %v, health %v", err, s.Health())
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		t.Skip("somebody else has taken the port: ", err)
	}
	srv.Listener = listener
	srv.Start()
	t.Cleanup(srv.Close)
	if err := s.Check(t.Context()); err != nil || s.Health() != nil {
		t.Errorf("someone listens: %v, health %v", err, s.Health())
	}
}

func TestNoAccessTokenIsUnhealthy(t *testing.T) {
	withTokenEndpoint(t, func(t *testing.T, m *tokenEndpoint, b *accessTokens) {
		down := errors.New("down")
		m.fail(down)
		if _, err := b.get(t.Context()); err == nil || !errors.Is(b.health(), down) {
			t.Errorf("no token: %v, health %v", err, b.health())
		}
		m.fail(nil)
		pass(fetchRetryDelay)
		mustAccess(t, b)
		m.fail(down)
		pass(time.Hour - renewAhead)
		mustAccess(t, b)
		pass(2 * time.Second)
		if err := b.health(); err != nil {
			t.Errorf("unhealthy while the old token is good: %v", err)
		}
	})
}

// failingTransports fail to connect a number of times.
type failingTransports struct {
	bodyRecorder
	tries atomic.Int64
	after int64
}

func (b *failingTransports) connect(context.Context) error {
	b.tries.Add(1)
	return b.health()
}

func (b *failingTransports) health() error {
	if b.tries.Load() < b.after {
		return errors.New("down")
	}
	return nil
}

// While no one sends, for example because the campaigns are paused, the prober clears an old error.
// It does not probe a healthy transport.
func TestTheProberProbesAnUnhealthyTransport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transports := &failingTransports{after: 2}
		prober := newHealthProber(t.Context(), &singleSendTransport{transports: transports})
		defer prober.close()
		pass(5*healthProbeInterval + healthProbeInterval/2)
		if n := transports.tries.Load(); n != transports.after || transports.health() != nil {
			t.Errorf("%d tries, want %d", n, transports.after)
		}
	})
}
