package fcm

import (
	"net/http"
	"slices"
	"testing"
)

// tenStreams makes lanes of ten streams each to a server that nobody asks anything.
func tenStreams(t *testing.T, expected int) (*server, *lanes) {
	t.Helper()
	srv := serve(t, nil, accept)
	config := srv.Client().Transport.(*http.Transport).TLSClientConfig
	l, _ := newTestLanes(t, srv.Listener.Addr().String(), config, Options{Concurrency: expected, Streams: 10})
	return srv, l
}

// lanesNow tells how many lanes there are or will be, and how many of these are retired.
func (l *lanes) lanesNow() (all, retired int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lane := range l.open {
		if lane.retired {
			retired++
		}
	}
	return len(l.open) + l.dialing, retired
}

func hold(t *testing.T, l *lanes, n int) []line {
	t.Helper()
	var held []line
	for range n {
		got, err := l.soon(t)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, got)
	}
	return held
}

func letGo(held []line) {
	for _, line := range held {
		line.release()
	}
}

// The next lane is on its way before the last stream is taken.
func TestLanesAreDialedAhead(t *testing.T) {
	_, l := tenStreams(t, 100)
	hold(t, l, 7)
	if all, _ := l.lanesNow(); all != 1 {
		t.Errorf("%d lanes for 7 of 10 streams, want 1", all)
	}
	hold(t, l, 1)
	if all, _ := l.lanesNow(); all != 2 {
		t.Errorf("%d lanes for 8 of 10 streams, want 2", all)
	}
}

// However many come at once, few handshakes are under way, and no more lanes are made than all of them need.
func TestAWaveOfRequestsIsNoWaveOfDials(t *testing.T) {
	const inFlight = 300
	srv, l := tenStreams(t, inFlight)
	served := make(chan error, inFlight)
	for range inFlight {
		go func() {
			_, err := l.soon(t)
			served <- err
		}()
	}
	for range inFlight {
		if err := <-served; err != nil {
			t.Fatal(err)
		}
		l.mu.Lock()
		if l.dialing > dialsAtOnce {
			t.Errorf("%d dials at once, want at most %d", l.dialing, dialsAtOnce)
		}
		l.mu.Unlock()
	}
	if n := int(srv.accepted.Load()); n < inFlight/10 || n > l.most() {
		t.Errorf("%d connections dialed, want %d to %d", n, inFlight/10, l.most())
	}
}

// Lanes that two reviews found needless go, those with requests on them once these end. One more than needed stays.
func TestLanesShrinkAfterTheNeed(t *testing.T) {
	_, l := tenStreams(t, 100)
	held := hold(t, l, 61) // the last one waits for its lane, so that no dial is under way
	letGo(held[5:])
	for range 2 {
		l.review()
		if all, retired := l.lanesNow(); all != 7 || retired != 0 {
			t.Fatalf("%d lanes and %d of them retired, want all 7 that were needed lately", all, retired)
		}
	}
	l.review()
	all, retired := l.lanesNow()
	if all-retired != 2 {
		t.Errorf("%d lanes for 5 in flight, want 2", all-retired)
	}
	letGo(held[:5])
	if all, retired = l.lanesNow(); all != 2 || retired != 0 {
		t.Errorf("%d lanes in the end and %d retired, want 2 and none", all, retired)
	}
}

// A lane that is not closed yet comes back before another is dialed.
func TestRetiredLanesAreRecalled(t *testing.T) {
	srv, l := tenStreams(t, 100)
	held := hold(t, l, 61)
	var first []line // one on each lane
	for _, line := range held {
		if !slices.Contains(first, line) {
			first = append(first, line)
			continue
		}
		line.release()
	}
	for range 3 {
		l.review()
	}
	if _, retired := l.lanesNow(); retired != 5 {
		t.Fatalf("%d lanes of 7 are retired with one request on each, want 5", retired)
	}
	hold(t, l, 45-len(first))
	if all, retired := l.lanesNow(); all != 7 || retired > 2 || srv.accepted.Load() != 7 {
		t.Errorf("%d lanes, %d of them retired, and %d dialed; want the 7 of before", all, retired, srv.accepted.Load())
	}
}
