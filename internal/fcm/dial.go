package fcm

import (
	"context"
	"fmt"
	"time"
)

// beginDial adds a lane in the background. Caller holds mu, and has asked mayDial.
func (l *lanes) beginDial() {
	l.dialing++
	l.work.Go(l.dial)
}

func (l *lanes) mayDial() bool {
	return l.dialing < dialsAtOnce && len(l.open)+l.dialing < l.most() && !l.now().Before(l.again)
}

// reach makes the first lane where there is none: no recipient waits for its handshake, or has to find out that it fails.
func (l *lanes) reach(ctx context.Context) error {
	line, err := l.acquire(ctx)
	if err != nil {
		return err
	}
	line.release()
	return nil
}

func (l *lanes) trouble() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failures == 0 || len(l.open) > 0 {
		return nil
	}
	return l.lastErr
}

// dial adds one lane.
func (l *lanes) dial() {
	ctx, cancel := context.WithTimeout(l.alive, dialTimeout)
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
		l.dialFailed(err)
	default:
		l.failures, l.again = 0, time.Time{}
		l.width = max(1, min(l.streams, conn.Available()))
		l.open = append(l.open, &lane{ClientConn: conn, of: l, streams: l.width})
		l.metrics.dials.Inc()
		l.metrics.connections.Inc()
	}
	l.serve()
}

func (l *lanes) dialFailed(err error) {
	pause := min(dialPause<<min(l.failures, 10), dialPauseMax)
	l.failures++
	l.lastErr, l.again = fmt.Errorf("connect to %s: %w", l.address, err), l.now().Add(pause)
	l.log.Warn("no connection to FCM", "endpoint", l.address, "error", err, "next_dial", pause)
}
