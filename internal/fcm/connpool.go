package fcm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// idleTimeout ends a connection on which nothing is under way.
	idleTimeout = 90 * time.Second
	// pingAfter and pingTimeout find out that the other end is gone: such a connection would swallow requests for minutes.
	pingInterval, pingTimeout = 15 * time.Second, 10 * time.Second
	// No more than dialsAtOnce are under way: a wave of requests must not become a wave of handshakes.
	maxConcurrentDials = 4
	// After a dial failed, the next one waits for as long as dialPause, doubled with each failure up to dialPauseMax.
	dialRetryDelay, maxDialRetryDelay = 100 * time.Millisecond, 5 * time.Second
)

var errClosed = errors.New("the sender is closed")

// lanes are a few HTTP/2 connections, as many as the requests in flight need. One shared net/http transport dials hundreds at the same
// load: every request that finds no free stream dials for itself.
type connPool struct {
	dialer      *http.Transport // makes connections, and pools none
	address     string          // host:port
	maxStreams  int             // requests in flight on one lane, at most
	concurrency int             // requests in flight altogether, at most
	now         func() time.Time
	log         *slog.Logger
	metrics     *metrics

	runCtx     context.Context // ends with close
	cancel     context.CancelFunc
	background sync.WaitGroup // dials, and the ends of connections

	mu             sync.Mutex // guards what follows, and the lanes
	closed         bool
	conns          []*pooledConn
	waiters        []chan acquireResult // in the order of their coming; each has room for its grant
	streamsPerConn int                  // requests in flight that the newest connection takes
	inFlight       int
	peak           [2]int // in flight at most: since the last review, and between that and the one before
	dialing        int
	dialFailures   int // dials in a row
	dialErr        error
	nextDialAt     time.Time // no dial before
}

// lane is one connection. Its fields are under lanes.mu. Streams are counted here, and not reserved on the connection: net/http lets
// more be reserved than the server turns out to allow when its settings arrive, and then none of them ever begins.
type pooledConn struct {
	*http.ClientConn
	pool       *connPool
	maxStreams int // at most: one where the server has no HTTP/2
	inFlight   int
	retired    bool // it takes no more requests, and is closed when its last one ends
	full       bool // it had no room; until a request ends on it, or nobody else has room, it is not asked again
}

// grant is a lane with room for one request, or the reason why there is none.
type acquireResult struct {
	conn *pooledConn
	err  error
}

func newConnPool(ctx context.Context, address string, config *tls.Config, o Options, m *metrics) *connPool {
	l := &connPool{
		dialer: &http.Transport{
			Proxy:              http.ProxyFromEnvironment,
			TLSClientConfig:    config,
			ForceAttemptHTTP2:  true,
			IdleConnTimeout:    idleTimeout,
			DisableCompression: true,
			HTTP2:              &http.HTTP2Config{SendPingTimeout: pingInterval, PingTimeout: pingTimeout},
		},
		address:        address,
		maxStreams:     o.Streams,
		concurrency:    o.Concurrency,
		now:            time.Now,
		log:            o.Logger,
		metrics:        m,
		streamsPerConn: o.Streams,
	}
	l.runCtx, l.cancel = context.WithCancel(ctx)
	l.background.Go(l.runReviews)
	return l
}

// acquire returns the least loaded lane, and counts one more request on it.
func (l *connPool) acquire(ctx context.Context) (transport, error) {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, errClosed
	}
	if conn := l.tryAcquire(); conn != nil {
		l.mu.Unlock()
		return conn, nil
	}
	wait := make(chan acquireResult, 1)
	l.waiters = append(l.waiters, wait)
	l.serveWaiters()
	l.mu.Unlock()
	select {
	case g := <-wait:
		if g.err != nil {
			return nil, g.err
		}
		return g.conn, nil
	case <-ctx.Done():
		l.cancelWait(wait)
		return nil, fmt.Errorf("wait for a connection: %w", ctx.Err())
	}
}

// leave takes a waiter out of the queue. What it was granted meanwhile goes back.
func (l *connPool) cancelWait(wait chan acquireResult) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiters = slices.DeleteFunc(l.waiters, func(w chan acquireResult) bool { return w == wait })
	select {
	case g := <-wait:
		if g.conn != nil {
			l.releaseStream(g.conn)
		}
	default:
	}
}

// pick takes a stream of the least loaded lane that has one; nil where none has. Caller holds mu.
func (l *connPool) tryAcquire() *pooledConn {
	for {
		var best *pooledConn
		for _, conn := range l.conns {
			if !conn.full && !conn.retired && conn.inFlight < conn.maxStreams && (best == nil || conn.inFlight < best.inFlight) {
				best = conn
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
func (l *pooledConn) release() {
	l.pool.mu.Lock()
	defer l.pool.mu.Unlock()
	l.pool.releaseStream(l)
}

func (l *connPool) releaseStream(conn *pooledConn) {
	conn.inFlight--
	l.inFlight--
	conn.full = false
	if conn.retired && conn.inFlight == 0 {
		l.pruneConns()
	}
	if len(l.waiters) > 0 {
		l.serveWaiters()
	}
}

// serve gives waiters what has become free, and dials for those who are left. Caller holds mu.
func (l *connPool) serveWaiters() {
	l.serveFromOpen()
	if len(l.waiters) == 0 {
		return
	}
	l.pruneConns()
	for l.serveFromOpen(); len(l.waiters) > 0 && l.reuseRetired(); l.serveFromOpen() {
	}
	for l.pendingCapacity() < len(l.waiters) && l.canDial() {
		l.startDial()
	}
	if len(l.conns) == 0 && l.dialing == 0 {
		l.failWaiters(l.dialErr)
	}
}

func (l *connPool) serveFromOpen() {
	for len(l.waiters) > 0 {
		conn := l.tryAcquire()
		if conn == nil {
			return
		}
		l.waiters[0] <- acquireResult{conn: conn}
		l.waiters = l.waiters[1:]
	}
}

// dismiss tells all waiters that there will be no lane for them.
func (l *connPool) failWaiters(err error) {
	for _, wait := range l.waiters {
		wait <- acquireResult{err: err}
	}
	l.waiters = nil
}

// inspect drops the lanes that are dead, that are retired and done, or that refuse although nothing is under way on them: the server
// is closing those. Those that have room again are asked again.
func (l *connPool) pruneConns() {
	l.conns = slices.DeleteFunc(l.conns, func(conn *pooledConn) bool {
		free := conn.Available()
		if err := conn.Err(); err != nil || (conn.inFlight == 0 && (free == 0 || conn.retired)) {
			l.log.Debug("connection to FCM ended", "endpoint", l.address, "in_flight", conn.inFlight, "error", err)
			l.background.Go(func() { _ = conn.Close() })
			l.metrics.connections.Dec()
			return true
		}
		conn.full = free == 0
		return false
	})
}

// close ends all connections, and with them the requests under way.
func (l *connPool) close() {
	l.mu.Lock()
	l.closed = true
	l.cancel()
	for _, conn := range l.conns {
		l.background.Go(func() { _ = conn.Close() })
	}
	l.metrics.connections.Sub(float64(len(l.conns)))
	l.conns = nil
	l.failWaiters(errClosed)
	l.mu.Unlock()
	l.background.Wait()
}

// reach makes the first lane where there is none: no recipient waits for its handshake, or has to find out that it fails.
func (l *connPool) connect(ctx context.Context) error {
	conn, err := l.acquire(ctx)
	if err != nil {
		return err
	}
	conn.release()
	return nil
}

func (l *connPool) health() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.dialFailures == 0 || len(l.conns) > 0 {
		return nil
	}
	return l.dialErr
}
