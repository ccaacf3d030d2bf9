package fcm

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"time"
)

const (
	dialTimeout = 10 * time.Second
	// idleTimeout closes a connection without requests.
	idleTimeout = 90 * time.Second
	// pingInterval and pingTimeout detect a dead peer, which would otherwise swallow requests for
	// minutes.
	pingInterval, pingTimeout = 15 * time.Second, 10 * time.Second
	// maxConcurrentDials keeps a burst of requests from becoming a burst of TLS handshakes.
	maxConcurrentDials = 4
	// dialRetryDelay is the wait after a failed dial. It doubles with each failure, up to
	// maxDialRetryDelay.
	dialRetryDelay, maxDialRetryDelay = 100 * time.Millisecond, 5 * time.Second
)

var errClosed = errors.New("sender is closed")

// connPool holds a few HTTP/2 connections, as many as the requests in flight need. A single
// net/http transport dials hundreds at the same load, one for each request that finds no free
// stream.
type connPool struct {
	dial        dialer
	address     string // host:port
	maxStreams  int    // limit of requests in flight per connection
	concurrency int    // expected requests in flight in total
	now         func() time.Time
	log         *slog.Logger
	metrics     *metrics

	runCtx     context.Context // ends with close
	cancel     context.CancelFunc
	background sync.WaitGroup // dials, reviews and closing connections

	mu             sync.Mutex // guards the fields below and those of each pooledConn
	closed         bool
	conns          []*pooledConn
	waiters        []chan acquireResult // first come, first served; each channel has room for its result
	streamsPerConn int                  // what the next connection will probably allow
	inFlight       int
	peak           [2]int // highest inFlight since the last review, and in the interval before it
	dialing        int
	dialFailures   int // in a row
	dialErr        error
	nextDialAt     time.Time // no dial before this time
}

// pooledConn is one connection. connPool.mu guards its fields. The pool counts streams itself.
// net/http lets callers reserve more streams than the server's settings allow later, and none of
// those ever starts.
type pooledConn struct {
	connection
	pool       *connPool
	maxStreams int // 1 if the server has no HTTP/2, 0 while it allows no request
	inFlight   int
	retired    bool // takes no more requests; closed when its last one ends
	full       bool // skipped until one of its requests ends, or until no connection has room
}

// acquireResult is a connection with room for one request, or the reason why there is none.
type acquireResult struct {
	conn *pooledConn
	err  error
}

func newConnPool(ctx context.Context, address string, config *tls.Config, o Options, target *url.URL, m *metrics) *connPool {
	p := &connPool{
		address:        address,
		maxStreams:     o.Streams,
		concurrency:    o.Concurrency,
		now:            time.Now,
		log:            o.Logger,
		metrics:        m,
		streamsPerConn: o.Streams,
	}
	p.dial = newDialer(address, config, o, target, p.followLimits)
	p.runCtx, p.cancel = context.WithCancel(ctx)
	p.background.Go(p.runReviews)
	return p
}

// acquire returns a connection with room and counts one more request on it.
func (p *connPool) acquire(ctx context.Context) (transport, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, errClosed
	}
	if conn := p.tryAcquire(); conn != nil {
		p.mu.Unlock()
		return conn, nil
	}
	wait := make(chan acquireResult, 1)
	p.waiters = append(p.waiters, wait)
	p.serveWaiters()
	p.mu.Unlock()
	select {
	case g := <-wait:
		if g.err != nil {
			return nil, g.err
		}
		return g.conn, nil
	case <-ctx.Done():
		p.cancelWait(wait)
		return nil, fmt.Errorf("wait for a connection: %w", ctx.Err())
	}
}

// cancelWait removes a waiter from the queue. If it was served in the meantime, its stream is
// released.
func (p *connPool) cancelWait(wait chan acquireResult) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiters = slices.DeleteFunc(p.waiters, func(w chan acquireResult) bool { return w == wait })
	select {
	case g := <-wait:
		if g.conn != nil {
			p.releaseStream(g.conn)
		}
	default:
	}
}

// tryAcquire takes a stream of the most loaded connection with room: requests that come together
// then share a connection, and one write carries them. It returns nil if none has room. Caller
// holds mu.
func (p *connPool) tryAcquire() *pooledConn {
	for {
		var best *pooledConn
		for _, conn := range p.conns {
			if !conn.full && !conn.retired && conn.inFlight < conn.maxStreams && (best == nil || conn.inFlight > best.inFlight) {
				best = conn
			}
		}
		if best == nil {
			return nil
		}
		if best.Available() > 0 { // open, and below the server's own limit
			best.inFlight++
			p.inFlight++
			p.peak[0] = max(p.peak[0], p.inFlight)
			p.dialAhead()
			return best
		}
		best.full = true
	}
}

// release gives the stream back to the pool.
func (c *pooledConn) release() {
	c.pool.mu.Lock()
	defer c.pool.mu.Unlock()
	c.pool.releaseStream(c)
}

func (p *connPool) releaseStream(conn *pooledConn) {
	conn.inFlight--
	p.inFlight--
	conn.full = false
	if conn.retired && conn.inFlight == 0 {
		p.pruneConns()
	}
	if len(p.waiters) > 0 {
		p.serveWaiters()
	}
}

// serveWaiters gives free streams to waiters, and dials for the rest. Caller holds mu.
func (p *connPool) serveWaiters() {
	p.serveFromOpen()
	if len(p.waiters) == 0 {
		return
	}
	p.pruneConns()
	for p.serveFromOpen(); len(p.waiters) > 0 && p.reuseRetired(); p.serveFromOpen() {
	}
	for p.pendingCapacity() < len(p.waiters) && p.canDial() {
		p.startDial()
	}
	if len(p.conns) == 0 && p.dialing == 0 {
		p.failWaiters(p.dialErr)
	}
}

func (p *connPool) serveFromOpen() {
	for len(p.waiters) > 0 {
		conn := p.tryAcquire()
		if conn == nil {
			return
		}
		p.waiters[0] <- acquireResult{conn: conn}
		p.waiters = p.waiters[1:]
	}
}

// failWaiters ends all waits with an error.
func (p *connPool) failWaiters(err error) {
	for _, wait := range p.waiters {
		wait <- acquireResult{err: err}
	}
	p.waiters = nil
}

// pruneConns drops connections that are dead, or retired or ending and without requests. One that
// is only full stays, even if the server allows no request for a moment. A connection that has
// room again is marked so.
func (p *connPool) pruneConns() {
	p.conns = slices.DeleteFunc(p.conns, func(conn *pooledConn) bool {
		if err := conn.Err(); err != nil || (conn.inFlight == 0 && (conn.retired || conn.IsEnding())) {
			p.log.Debug("connection to FCM closed", "endpoint", p.address, "in_flight", conn.inFlight, "error", err)
			p.background.Go(func() { _ = conn.Close() })
			p.metrics.connections.Dec()
			return true
		}
		conn.full = conn.Available() == 0
		return false
	})
}

// close closes all connections, which cuts off the requests in flight.
func (p *connPool) close() {
	p.mu.Lock()
	p.closed = true
	p.cancel()
	for _, conn := range p.conns {
		p.background.Go(func() { _ = conn.Close() })
	}
	p.metrics.connections.Sub(float64(len(p.conns)))
	p.conns = nil
	p.failWaiters(errClosed)
	p.mu.Unlock()
	p.background.Wait()
}

// connect makes the first connection, so that no recipient waits for a handshake or finds out that
// it fails.
func (p *connPool) connect(ctx context.Context) error {
	conn, err := p.acquire(ctx)
	if err != nil {
		return err
	}
	conn.release()
	return nil
}

func (p *connPool) health() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case len(p.conns) > 0 && !slices.ContainsFunc(p.conns, func(conn *pooledConn) bool { return conn.maxStreams > 0 }):
		return fmt.Errorf("connect to %s: %w", p.address, errAllowsNone)
	case p.dialFailures == 0 || len(p.conns) > 0:
		return nil
	}
	return p.dialErr
}
