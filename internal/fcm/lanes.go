package fcm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// idleTimeout ends a connection on which nothing is under way.
	idleTimeout = 90 * time.Second
	// pingAfter and pingTimeout find out that the other end is gone: such a connection would swallow requests for minutes.
	pingAfter, pingTimeout = 15 * time.Second, 10 * time.Second
	// No more than dialsAtOnce are under way: a wave of requests must not become a wave of handshakes.
	dialsAtOnce = 4
	// After a dial failed, the next one waits for as long as dialPause, doubled with each failure up to dialPauseMax.
	dialPause, dialPauseMax = 100 * time.Millisecond, 5 * time.Second
)

var errClosed = errors.New("the sender is closed")

// lanes are a few HTTP/2 connections, as many as the requests in flight need. One shared net/http transport dials hundreds at the same
// load: every request that finds no free stream dials for itself.
type lanes struct {
	dialer   *http.Transport // makes connections, and pools none
	address  string          // host:port
	streams  int             // requests in flight on one lane, at most
	expected int             // requests in flight altogether, at most
	now      func() time.Time
	log      *slog.Logger
	metrics  *metrics

	alive context.Context // ends with close
	end   context.CancelFunc
	work  sync.WaitGroup // dials, and the ends of connections

	mu       sync.Mutex // guards what follows, and the lanes
	closed   bool
	open     []*lane
	waiting  []chan grant // in the order of their coming; each has room for its grant
	width    int          // requests in flight that the newest connection takes
	inFlight int
	peak     [2]int // in flight at most: since the last review, and between that and the one before
	dialing  int
	failures int // dials in a row
	lastErr  error
	again    time.Time // no dial before
}

// lane is one connection. Its fields are under lanes.mu. Streams are counted here, and not reserved on the connection: net/http lets
// more be reserved than the server turns out to allow when its settings arrive, and then none of them ever begins.
type lane struct {
	*http.ClientConn
	of       *lanes
	streams  int // at most: one where the server has no HTTP/2
	inFlight int
	retired  bool // it takes no more requests, and is closed when its last one ends
	full     bool // it had no room; until a request ends on it, or nobody else has room, it is not asked again
}

// grant is a lane with room for one request, or the reason why there is none.
type grant struct {
	lane *lane
	err  error
}

func newLanes(ctx context.Context, address string, config *tls.Config, o Options, m *metrics) *lanes {
	l := &lanes{
		dialer: &http.Transport{
			Proxy:              http.ProxyFromEnvironment,
			TLSClientConfig:    config,
			ForceAttemptHTTP2:  true,
			IdleConnTimeout:    idleTimeout,
			DisableCompression: true,
			HTTP2:              &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		},
		address:  address,
		streams:  o.Streams,
		expected: o.Concurrency,
		now:      time.Now,
		log:      o.Logger,
		metrics:  m,
		width:    o.Streams,
	}
	l.alive, l.end = context.WithCancel(ctx)
	l.work.Go(l.reviewing)
	return l
}

// acquire returns the least loaded lane, and counts one more request on it.
func (l *lanes) acquire(ctx context.Context) (line, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, errClosed
	}
	if lane := l.pick(); lane != nil {
		l.mu.Unlock()
		return lane, nil
	}
	wait := make(chan grant, 1)
	l.waiting = append(l.waiting, wait)
	l.serve()
	l.mu.Unlock()
	select {
	case g := <-wait:
		if g.err != nil {
			return nil, g.err
		}
		return g.lane, nil
	case <-ctx.Done():
		l.leave(wait)
		return nil, fmt.Errorf("wait for a connection: %w", ctx.Err())
	}
}

// pick takes a stream of the least loaded lane that has one; nil where none has. Caller holds mu.
func (l *lanes) pick() *lane {
	for {
		var best *lane
		for _, lane := range l.open {
			if !lane.full && !lane.retired && lane.inFlight < lane.streams && (best == nil || lane.inFlight < best.inFlight) {
				best = lane
			}
		}
		if best == nil {
			return nil
		}
		if best.Available() > 0 { // neither closed nor closing, nor at the server's own limit
			best.inFlight++
			l.inFlight++
			l.peak[0] = max(l.peak[0], l.inFlight)
			l.dialAhead(best)
			return best
		}
		best.full = true
	}
}

// release gives the lane's stream back.
func (l *lane) release() {
	l.of.mu.Lock()
	defer l.of.mu.Unlock()
	l.of.done(l)
}

func (l *lanes) done(lane *lane) {
	lane.inFlight--
	l.inFlight--
	lane.full = false
	if lane.retired && lane.inFlight == 0 {
		l.inspect()
	}
	if len(l.waiting) > 0 {
		l.serve()
	}
}

// close ends all connections, and with them the requests under way.
func (l *lanes) close() {
	l.mu.Lock()
	l.closed = true
	l.end()
	for _, lane := range l.open {
		l.work.Go(func() { _ = lane.Close() })
	}
	l.metrics.connections.Sub(float64(len(l.open)))
	l.open = nil
	l.dismiss(errClosed)
	l.mu.Unlock()
	l.work.Wait()
}
