package fcm

import (
	"context"
	"fmt"
	"time"
)

// beginDial adds a lane in the background. Caller holds mu, and has asked mayDial.
func (l *connPool) startDial() {
	l.dialing++
	l.background.Go(l.dial)
}

func (l *connPool) canDial() bool {
	return l.dialing < maxConcurrentDials && len(l.conns)+l.dialing < l.maxConns() && !l.now().Before(l.nextDialAt)
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
