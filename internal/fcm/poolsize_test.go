package fcm

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// tenStreams makes lanes of ten streams each to a server that nobody asks anything.
func newTenStreamPool(t *testing.T, expected int) (*server, *connPool) {
	t.Helper()
	srv := serve(t, nil, accept)
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig
	l, _ := newTestPool(t, srv.Listener.Addr().String(), config, Options{Concurrency: expected, Streams: 10})
	return srv, l
}

// lanesNow tells how many lanes there are or will be, and how many of these are retired.
func (l *connPool) countConns() (all, retired int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, conn := range l.conns {
		if conn.retired {
			retired++
		}
	}
	return len(l.conns) + l.dialing, retired
}

func acquireAll(t *testing.T, l *connPool, n int) []transport {
	t.Helper()
	var current []transport
	for range n {
		got, err := l.mustAnswer(t)
		if err != nil {
			t.Fatal(err)
		}
		current = append(current, got)
	}
	return current
}

func releaseAll(current []transport) {
	for _, conn := range current {
		conn.release()
	}
}

// The next lane is on its way before the last stream is taken.
func TestLanesAreDialedAhead(t *testing.T) {
	_, l := newTenStreamPool(t, 100)
	acquireAll(t, l, 7)
	if all, _ := l.countConns(); all != 1 {
		t.Errorf("%d lanes for 7 of 10 streams, want 1", all)
	}
	acquireAll(t, l, 1)
	if all, _ := l.countConns(); all != 2 {
		t.Errorf("%d lanes for 8 of 10 streams, want 2", all)
	}
}

// However many come at once, few handshakes are under way, and no more lanes are made than all of them need.
func TestAWaveOfRequestsIsNoWaveOfDials(t *testing.T) {
	const inFlight = 300
	srv, l := newTenStreamPool(t, inFlight)
	served := make(chan error, inFlight)
	for range inFlight {
		go func() {
			_, err := l.mustAnswer(t)
			served <- err
		}()
	}
	for range inFlight {
		if err := <-served; err != nil {
			t.Fatal(err)
		}
		l.mu.Lock()
		if l.dialing > maxConcurrentDials {
			t.Errorf("%d dials at once, want at most %d", l.dialing, maxConcurrentDials)
		}
		l.mu.Unlock()
	}
	if n := int(srv.accepted.Load()); n < inFlight/10 || n > l.maxConns() {
		t.Errorf("%d connections dialed, want %d to %d", n, inFlight/10, l.maxConns())
	}
}

// Lanes that two reviews found needless go, those with requests on them once these end. One more than needed stays.
func TestLanesShrinkAfterTheNeed(t *testing.T) {
	_, l := newTenStreamPool(t, 100)
	current := acquireAll(t, l, 61) // the last one waits for its lane, so that no dial is under way
	releaseAll(current[5:])
	for range 2 {
		l.retireUnneeded()
		if all, retired := l.countConns(); all != 7 || retired != 0 {
			t.Fatalf("%d lanes and %d of them retired, want all 7 that were needed lately", all, retired)
		}
	}
	l.retireUnneeded()
	all, retired := l.countConns()
	if all-retired != 2 {
		t.Errorf("%d lanes for 5 in flight, want 2", all-retired)
	}
	releaseAll(current[:5])
	if all, retired = l.countConns(); all != 2 || retired != 0 {
		t.Errorf("%d lanes in the end and %d retired, want 2 and none", all, retired)
	}
}

// A lane that is not closed yet comes back before another is dialed.
func TestRetiredLanesAreRecalled(t *testing.T) {
	srv, l := newTenStreamPool(t, 100)
	current := acquireAll(t, l, 61)
	var first []transport // one on each lane
	for _, conn := range current {
		if !slices.Contains(first, conn) {
			first = append(first, conn)
			continue
		}
		conn.release()
	}
	for range 3 {
		l.retireUnneeded()
	}
	if _, retired := l.countConns(); retired != 5 {
		t.Fatalf("%d lanes of 7 are retired with one request on each, want 5", retired)
	}
	acquireAll(t, l, 45-len(first))
	if all, retired := l.countConns(); all != 7 || retired > 2 || srv.accepted.Load() != 7 {
		t.Errorf("%d lanes, %d of them retired, and %d dialed; want the 7 of before", all, retired, srv.accepted.Load())
	}
}

// While a server cannot be reached, those who ask are told at once, and it is dialed ever more rarely.
func TestDialsPauseAfterAFailure(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepted atomic.Int64
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			_ = conn.Close()
		}
	})
	t.Cleanup(func() { _ = ln.Close(); serving.Wait() })

	l, clock := newTestPool(t, ln.Addr().String(), new(tls.Config), Options{Concurrency: 1, Streams: 1})
	for want, pause := range []time.Duration{0, dialRetryDelay, 2 * dialRetryDelay, 4 * dialRetryDelay} {
		clock.Add(int64(pause))
		for range 3 {
			if _, err := l.mustAnswer(t); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("a lane to nowhere: %v, want an error at once", err)
			}
		}
		if n := accepted.Load(); n != int64(want+1) {
			t.Errorf("after a pause of %s: %d dials, want %d", pause, n, want+1)
		}
	}
}

// A server that takes no connection, and refuses none, holds a dial no longer than that may take.
func TestTimeoutBoundsADial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, _ := newTestPool(t, "192.0.2.1:443", new(tls.Config), Options{Concurrency: 1, Streams: 1})
		l.dialer.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		begun := time.Now()
		_, err := l.acquire(t.Context())
		if took := time.Since(begun); err == nil || took != 10*time.Second {
			t.Errorf("%v after %s, want an error after 10 s", err, took)
		}
	})
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
