package fcm

import (
	"net/http"
	"slices"
	"testing"
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
