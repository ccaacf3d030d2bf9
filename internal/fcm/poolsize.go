package fcm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"fanfare/internal/periodic"
)

// reviewInterval is how often the pool looks for connections that it no longer needs. A connection
// stays for one to two intervals after the last need.
const reviewInterval = 30 * time.Second

// maxConns is the limit of connections: what the expected requests need, plus two to replace
// connections that are closing. A server without HTTP/2 needs one for each request.
func (p *connPool) maxConns() int { return connsFor(p.concurrency, p.streamsPerConn) + 2 }

// pendingCapacity is how many waiters the dials in progress will serve.
func (p *connPool) pendingCapacity() int { return p.dialing * p.streamsPerConn }

func connsFor(inFlight, width int) int { return (inFlight + width - 1) / width }

// dialAhead adds a connection when fewer streams are free than a quarter of a connection's.
// Starting a handshake when no stream is left would be too late. Caller holds mu.
func (p *connPool) dialAhead() {
	free := 0
	for _, conn := range p.conns {
		if !conn.full && !conn.retired {
			free += max(0, conn.maxStreams-conn.inFlight)
		}
	}
	if p.streamsPerConn == 1 || 4*free >= p.streamsPerConn || p.dialing > 0 || p.reuseRetired() {
		return
	}
	if p.canDial() {
		p.startDial()
	}
}

// runReviews retires unneeded connections until the pool is closed.
func (p *connPool) runReviews() {
	periodic.Run(p.runCtx, reviewInterval, func(context.Context) { p.retireUnneeded() })
}

// retireUnneeded retires connections that the last two intervals did not need. It keeps a quarter
// spare and one connection more, or dialAhead would dial again at once.
func (p *connPool) retireUnneeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	needed := connsFor(4*max(p.peak[0], p.peak[1])/3, p.streamsPerConn) + 1
	p.peak = [2]int{p.inFlight, p.peak[0]}
	live := slices.DeleteFunc(slices.Clone(p.conns), func(conn *pooledConn) bool { return conn.retired })
	if len(live) <= needed {
		return
	}
	slices.SortFunc(live, func(a, b *pooledConn) int { return b.inFlight - a.inFlight })
	for _, conn := range live[needed:] {
		conn.retired = true
	}
	p.pruneConns()
}

// reuseRetired takes a retired connection back into use and reports whether there was one. Caller
// holds mu.
func (p *connPool) reuseRetired() bool {
	i := slices.IndexFunc(p.conns, func(conn *pooledConn) bool { return conn.retired })
	if i >= 0 {
		p.conns[i].retired = false
	}
	return i >= 0
}

// startDial adds a connection in the background. Caller holds mu and has checked canDial.
func (p *connPool) startDial() {
	p.dialing++
	p.background.Go(p.addConn)
}

func (p *connPool) canDial() bool {
	return p.dialing < maxConcurrentDials && len(p.conns)+p.dialing < p.maxConns() && !p.now().Before(p.nextDialAt)
}

// addConn adds one connection to the pool.
func (p *connPool) addConn() {
	ctx, cancel := context.WithTimeout(p.runCtx, dialTimeout)
	defer cancel()
	conn, err := p.dialUsable(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dialing--
	switch {
	case p.closed:
		if err == nil {
			p.background.Go(func() { _ = conn.Close() }) // it waits for followLimits, which wants mu
		}
		return
	case err != nil:
		p.recordDialFailure(err)
	default:
		p.dialFailures, p.nextDialAt = 0, time.Time{}
		p.conns = append(p.conns, &pooledConn{connection: conn, pool: p})
		p.readLimits()
		p.metrics.dials.Inc()
		p.metrics.connections.Inc()
	}
	p.serveWaiters()
}

// The faults of connections that are open and of no use.
var (
	errTakesNone  = errors.New("the server takes no request on a new connection")
	errAllowsNone = errors.New("the server allows no requests at present")
)

// dialUsable makes a connection that takes requests. Any other counts as a failed dial: without
// pauses, a server that accepts and closes connections would get one handshake after the other.
func (p *connPool) dialUsable(ctx context.Context) (connection, error) {
	conn, err := p.dial(ctx)
	if err != nil {
		return nil, err
	}
	if conn.Available() == 0 {
		_ = conn.Close()
		return nil, errTakesNone
	}
	return conn, nil
}

// followLimits takes the limits that the server allows now, and serves those that wait for them.
func (p *connPool) followLimits() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.readLimits()
	if len(p.waiters) > 0 {
		p.serveWaiters()
	}
}

// readLimits takes the limits of all connections. The next one will probably allow as much as the
// best of these: a server may begin low and raise its limit. Caller holds mu.
func (p *connPool) readLimits() {
	best := 0
	for _, conn := range p.conns {
		conn.maxStreams = min(p.maxStreams, conn.StreamLimit())
		best = max(best, conn.maxStreams)
	}
	if best > 0 {
		p.streamsPerConn = best
	}
}

func (p *connPool) recordDialFailure(err error) {
	pause := min(dialRetryDelay<<min(p.dialFailures, 10), maxDialRetryDelay)
	p.dialFailures++
	p.dialErr, p.nextDialAt = fmt.Errorf("connect to %s: %w", p.address, err), p.now().Add(pause)
	p.log.Warn("connection to FCM failed", "endpoint", p.address, "error", err, "next_dial", pause)
}
