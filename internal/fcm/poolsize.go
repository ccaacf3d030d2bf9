package fcm

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// reviewEvery is how often lanes are looked at that may not be needed any more. A lane stays for one to two reviews after its need.
const reviewInterval = 30 * time.Second

// most is how many lanes there may be: what is expected in flight needs so many, and two more make up for connections that are
// ending. A server without HTTP/2 needs one for each request.
func (l *connPool) maxConns() int { return connsFor(l.concurrency, l.streamsPerConn) + 2 }

// room is how many waiters the dials under way will serve.
func (l *connPool) pendingCapacity() int { return l.dialing * l.streamsPerConn }

func connsFor(inFlight, width int) int { return (inFlight + width - 1) / width }

// dialAhead adds a lane when even the least loaded one is three quarters full: to begin a handshake when no stream is left
// would be too late. Caller holds mu.
func (l *connPool) dialAhead(least *pooledConn) {
	if least.maxStreams == 1 || 4*least.inFlight <= 3*least.maxStreams || l.dialing > 0 || l.reuseRetired() {
		return
	}
	if l.canDial() {
		l.startDial()
	}
}

// reviewing retires what is not needed, until the lanes are closed.
func (l *connPool) runReviews() {
	tick := time.NewTicker(reviewInterval)
	defer tick.Stop()
	for {
		select {
		case <-l.runCtx.Done():
			return
		case <-tick.C:
			l.retireUnneeded()
		}
	}
}

// review retires what the last two intervals did not need. It leaves a quarter free and one lane more, or dialAhead would at once bring
// back what went.
func (l *connPool) retireUnneeded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	needed := connsFor(4*max(l.peak[0], l.peak[1])/3, l.streamsPerConn) + 1
	l.peak = [2]int{l.inFlight, l.peak[0]}
	live := slices.DeleteFunc(slices.Clone(l.conns), func(conn *pooledConn) bool { return conn.retired })
	if len(live) <= needed {
		return
	}
	slices.SortFunc(live, func(a, b *pooledConn) int { return b.inFlight - a.inFlight })
	for _, conn := range live[needed:] {
		conn.retired = true
	}
	l.pruneConns()
}

// recall takes a retired lane back into use, where there is one. Caller holds mu.
func (l *connPool) reuseRetired() bool {
	i := slices.IndexFunc(l.conns, func(conn *pooledConn) bool { return conn.retired })
	if i >= 0 {
		l.conns[i].retired = false
	}
	return i >= 0
}

// beginDial adds a lane in the background. Caller holds mu, and has asked mayDial.
func (l *connPool) startDial() {
	l.dialing++
	l.background.Go(l.dial)
}

func (l *connPool) canDial() bool {
	return l.dialing < maxConcurrentDials && len(l.conns)+l.dialing < l.maxConns() && !l.now().Before(l.nextDialAt)
}

// dial adds one lane.
func (l *connPool) dial() {
	ctx, cancel := context.WithTimeout(l.runCtx, dialTimeout)
	defer cancel()
	conn, err := l.dialer.NewClientConn(ctx, "https", l.address)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dialing--
	switch {
	case l.closed:
		if err == nil {
			_ = conn.Close()
		}
		return
	case err != nil:
		l.recordDialFailure(err)
	default:
		l.dialFailures, l.nextDialAt = 0, time.Time{}
		l.streamsPerConn = max(1, min(l.maxStreams, conn.Available()))
		l.conns = append(l.conns, &pooledConn{ClientConn: conn, pool: l, maxStreams: l.streamsPerConn})
		l.metrics.dials.Inc()
		l.metrics.connections.Inc()
	}
	l.serveWaiters()
}

func (l *connPool) recordDialFailure(err error) {
	pause := min(dialRetryDelay<<min(l.dialFailures, 10), maxDialRetryDelay)
	l.dialFailures++
	l.dialErr, l.nextDialAt = fmt.Errorf("connect to %s: %w", l.address, err), l.now().Add(pause)
	l.log.Warn("no connection to FCM", "endpoint", l.address, "error", err, "next_dial", pause)
}
