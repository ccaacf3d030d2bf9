package fcm

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

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

// A success ends the row of failures, whose pause stays within a bound.
func TestPausesBetweenDials(t *testing.T) {
	srv := serve(t, nil, accept)
	l, _ := newTestPool(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1})
	l.mu.Lock()
	for range 20 {
		l.recordDialFailure(errors.New("refused"))
	}
	if pause := l.nextDialAt.Sub(l.now()); pause != 5*time.Second {
		t.Errorf("after 20 failures the next dial waits for %s", pause)
	}
	l.nextDialAt = time.Time{}
	l.mu.Unlock()
	if _, err := l.mustAnswer(t); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recordDialFailure(errors.New("refused"))
	if pause := l.nextDialAt.Sub(l.now()); pause != dialRetryDelay {
		t.Errorf("after a success the next failure costs %s", pause)
	}
}

// Trouble is what the network says, not that a caller went away.
func TestADialThatIsGivenUpIsNoTrouble(t *testing.T) {
	k := newPlainTransport("127.0.0.1:1", 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.dial(gone, "tcp", k.address); err == nil || k.health() != nil {
		t.Errorf("given up: %v, trouble %v", err, k.health())
	}
	if _, err := k.dial(t.Context(), "tcp", k.address); err == nil || k.health() == nil {
		t.Errorf("refused: %v, trouble %v", err, k.health())
	}
}
