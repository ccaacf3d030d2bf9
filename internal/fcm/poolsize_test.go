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

// newTenStreamPool creates a pool with ten streams per connection. Its server gets no requests.
func newTenStreamPool(t *testing.T, expected int) (*server, *connPool) {
	t.Helper()
	srv := serve(t, nil, accept)
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig
	p, _ := newTestPool(t, srv.Listener.Addr().String(), config, Options{Concurrency: expected, Streams: 10})
	return srv, p
}

// countConns returns the connections, including those being dialed, and how many are retired.
func (p *connPool) countConns() (all, retired int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		if conn.retired {
			retired++
		}
	}
	return len(p.conns) + p.dialing, retired
}

func acquireAll(t *testing.T, p *connPool, n int) []transport {
	t.Helper()
	var current []transport
	for range n {
		got, err := p.mustAnswer(t)
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

// The next connection is dialed before the last stream is taken.
func TestConnectionsAreDialedAhead(t *testing.T) {
	_, p := newTenStreamPool(t, 100)
	acquireAll(t, p, 7)
	if all, _ := p.countConns(); all != 1 {
		t.Errorf("%d connections for 7 of 10 streams, want 1", all)
	}
	acquireAll(t, p, 1)
	if all, _ := p.countConns(); all != 2 {
		t.Errorf("%d connections for 8 of 10 streams, want 2", all)
	}
}

// A burst of requests starts few handshakes at a time, and no more connections than it needs.
func TestABurstOfRequestsIsNoBurstOfDials(t *testing.T) {
	const inFlight = 300
	srv, p := newTenStreamPool(t, inFlight)
	served := make(chan error, inFlight)
	for range inFlight {
		go func() {
			_, err := p.mustAnswer(t)
			served <- err
		}()
	}
	for range inFlight {
		if err := <-served; err != nil {
			t.Fatal(err)
		}
		p.mu.Lock()
		if p.dialing > maxConcurrentDials {
			t.Errorf("%d dials at once, want at most %d", p.dialing, maxConcurrentDials)
		}
		p.mu.Unlock()
	}
	if n := int(srv.accepted.Load()); n < inFlight/10 || n > p.maxConns() {
		t.Errorf("%d connections dialed, want %d to %d", n, inFlight/10, p.maxConns())
	}
}

// Connections that two reviews found unneeded are closed, busy ones when their requests end. One
// more than needed stays.
func TestThePoolShrinksAfterTheNeed(t *testing.T) {
	_, p := newTenStreamPool(t, 100)
	current := acquireAll(t, p, 61) // the last one waits for its connection, so no dial is in progress
	releaseAll(current[5:])
	for range 2 {
		p.retireUnneeded()
		if all, retired := p.countConns(); all != 7 || retired != 0 {
			t.Fatalf("%d connections and %d of them retired, want all 7 that were needed lately", all, retired)
		}
	}
	p.retireUnneeded()
	all, retired := p.countConns()
	if all-retired != 2 {
		t.Errorf("%d connections for 5 in flight, want 2", all-retired)
	}
	releaseAll(current[:5])
	if all, retired = p.countConns(); all != 2 || retired != 0 {
		t.Errorf("%d connections in the end and %d retired, want 2 and none", all, retired)
	}
}

// A retired connection that is still open is used again before another is dialed.
func TestRetiredConnectionsAreReused(t *testing.T) {
	srv, p := newTenStreamPool(t, 100)
	current := acquireAll(t, p, 61)
	var first []transport // one on each connection
	for _, conn := range current {
		if !slices.Contains(first, conn) {
			first = append(first, conn)
			continue
		}
		conn.release()
	}
	for range 3 {
		p.retireUnneeded()
	}
	if _, retired := p.countConns(); retired != 5 {
		t.Fatalf("%d connections of 7 are retired with one request on each, want 5", retired)
	}
	acquireAll(t, p, 45-len(first))
	if all, retired := p.countConns(); all != 7 || retired > 2 || srv.accepted.Load() != 7 {
		t.Errorf("%d connections, %d of them retired, and %d dialed; want the 7 of before", all, retired, srv.accepted.Load())
	}
}

// A retired connection closes with its last request. It does not wait for the next review.
func TestARetiredConnectionClosesWithItsLastRequest(t *testing.T) {
	_, p := newTenStreamPool(t, 100)
	var first []transport // one on each connection
	for _, conn := range acquireAll(t, p, 61) {
		if !slices.Contains(first, conn) {
			first = append(first, conn)
			continue
		}
		conn.release()
	}
	for range 3 {
		p.retireUnneeded()
	}
	if _, retired := p.countConns(); retired != 5 {
		t.Fatalf("%d connections of 7 are retired with one request on each, want 5", retired)
	}
	releaseAll(first)
	if all, retired := p.countConns(); all != 2 || retired != 0 {
		t.Errorf("%d connections after the last request and %d retired, want 2 and none", all, retired)
	}
}

// A failed dial makes the pool unhealthy only while no connection is open.
func TestAFailedDialIsNoFaultBesideAnOpenConnection(t *testing.T) {
	_, p := newTenStreamPool(t, 100)
	fail := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.recordDialFailure(errors.New("refused"))
		p.nextDialAt = time.Time{}
	}
	fail()
	if p.health() == nil {
		t.Error("healthy after a failed dial and without a connection")
	}
	acquireAll(t, p, 1)
	fail()
	if err := p.health(); err != nil {
		t.Errorf("unhealthy with an open connection: %v", err)
	}
}

// While a server is unreachable, callers get an error at once, and dials become rarer.
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

	p, clock := newTestPool(t, ln.Addr().String(), new(tls.Config), Options{Concurrency: 1, Streams: 1})
	for want, pause := range []time.Duration{0, dialRetryDelay, 2 * dialRetryDelay, 4 * dialRetryDelay} {
		clock.Add(int64(pause))
		for range 3 {
			if _, err := p.mustAnswer(t); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("a connection to nowhere: %v, want an error at once", err)
			}
		}
		if n := accepted.Load(); n != int64(want+1) {
			t.Errorf("after a pause of %s: %d dials, want %d", pause, n, want+1)
		}
	}
}

// A server that neither accepts nor refuses a connection holds up a dial for the timeout and no
// longer.
func TestTimeoutBoundsADial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := newTestPool(t, "192.0.2.1:443", new(tls.Config), Options{Concurrency: 1, Streams: 1})
		p.dial = func(ctx context.Context) (connection, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		begun := time.Now()
		_, err := p.acquire(t.Context())
		if took := time.Since(begun); err == nil || took != 10*time.Second {
			t.Errorf("%v after %s, want an error after 10 s", err, took)
		}
	})
}

// The delay after failures has a limit, and a success resets it.
func TestPausesBetweenDials(t *testing.T) {
	srv := serve(t, nil, accept)
	p, _ := newTestPool(t, srv.Listener.Addr().String(), srv.Client().Transport.(*http.Transport).TLSClientConfig, Options{Concurrency: 1, Streams: 1})
	p.mu.Lock()
	for range 20 {
		p.recordDialFailure(errors.New("refused"))
	}
	if pause := p.nextDialAt.Sub(p.now()); pause != 5*time.Second {
		t.Errorf("after 20 failures the next dial waits for %s", pause)
	}
	p.nextDialAt = time.Time{}
	p.mu.Unlock()
	if _, err := p.mustAnswer(t); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recordDialFailure(errors.New("refused"))
	if pause := p.nextDialAt.Sub(p.now()); pause != dialRetryDelay {
		t.Errorf("after a success the next failure costs %s", pause)
	}
}

// Requests go to the fullest connection that has room, so that one write carries many.
func TestTheFullestConnectionWithRoomIsTaken(t *testing.T) {
	_, p := newTenStreamPool(t, 100)
	streams := map[transport][]transport{}
	for _, conn := range acquireAll(t, p, 30) {
		streams[conn] = append(streams[conn], conn)
	}
	wanted := []int{3, 7, 1}
	var fullest transport
	for conn, all := range streams {
		if len(wanted) == 0 {
			break
		}
		left := wanted[0]
		if wanted = wanted[1:]; left == 7 {
			fullest = conn
		}
		releaseAll(all[left:])
	}
	for i, conn := range acquireAll(t, p, 3) {
		if conn != fullest {
			t.Errorf("request %d went to a connection with fewer requests", i)
		}
	}
	if next := acquireAll(t, p, 1)[0]; next == fullest {
		t.Error("a request went to a connection without room")
	}
}
