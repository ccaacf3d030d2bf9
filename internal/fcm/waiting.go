package fcm

import "slices"

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
