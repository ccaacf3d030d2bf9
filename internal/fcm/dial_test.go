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
	l, _ := newTestLanes(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1})
	l.mu.Lock()
	for range 20 {
		l.dialFailed(errors.New("refused"))
	}
	if pause := l.again.Sub(l.now()); pause != 5*time.Second {
		t.Errorf("after 20 failures the next dial waits for %s", pause)
	}
	l.again = time.Time{}
	l.mu.Unlock()
	if _, err := l.soon(t); err != nil {
		t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialFailed(errors.New("refused"))
	if pause := l.again.Sub(l.now()); pause != dialPause {
		t.Errorf("after a success the next failure costs %s", pause)
	}
}

// Trouble is what the network says, not that a caller went away.
func TestADialThatIsGivenUpIsNoTrouble(t *testing.T) {
	k := newKeepAlive("127.0.0.1:1", 1)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.dial(gone, "tcp", k.address); err == nil || k.trouble() != nil {
		t.Errorf("given up: %v, trouble %v", err, k.trouble())
	}
	if _, err := k.dial(t.Context(), "tcp", k.address); err == nil || k.trouble() == nil {
		t.Errorf("refused: %v, trouble %v", err, k.trouble())
	}
}
