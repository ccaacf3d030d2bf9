package h2client

import (
	"slices"
	"time"

	"golang.org/x/net/http2"
)

// watchInterval is how often deadlines are checked. One timer for a connection costs less than one
// for each request.
const watchInterval = 50 * time.Millisecond

// watch enforces deadlines, and ends a connection that is idle, finished or whose peer is silent.
func (c *Conn) watch() {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	var pinged time.Time
	for {
		select {
		case <-c.closed:
			return
		case now := <-tick.C:
			waiting := c.expire(now)
			if reason := c.endReason(now, waiting); reason != nil {
				c.fail(reason, http2.ErrCodeNo)
				return
			}
			if !c.checkPeer(now, waiting, &pinged) {
				return
			}
		}
	}
}

// expire ends the requests whose time is over, and returns how many wait still.
func (c *Conn) expire(now time.Time) (waiting int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	expired := false
	for _, s := range c.streams {
		if err := s.expired(now); err != nil {
			expired = true
			c.reset(s, http2.ErrCodeCancel, &Error{Err: err, Sent: s.started})
		}
	}
	c.queue = slices.DeleteFunc(c.queue, func(s *stream) bool {
		err := s.expired(now)
		if err == nil || s.id != 0 {
			return false
		}
		c.finish(s, &Error{Err: err})
		return true
	})
	if expired {
		c.wakeWriter()
	}
	return c.inFlight
}

// endReason says why the connection ends now; nil if it does not.
func (c *Conn) endReason(now time.Time, waiting int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case waiting > 0:
		return nil
	case c.goaway != nil:
		return c.goaway
	case now.Sub(c.idleAt) > c.opts.IdleTimeout:
		return errIdle
	case !c.peer.noneSince.IsZero() && now.Sub(c.peer.noneSince) > noStreamsTimeout:
		return errNoStreams
	}
	return nil
}

// checkPeer sends a PING to a peer that is silent while requests wait, and ends the connection of
// one that stays silent. It reports whether the connection lives.
func (c *Conn) checkPeer(now time.Time, waiting int, pinged *time.Time) bool {
	lastRead := c.start.Add(time.Duration(c.lastRead.Load()))
	if waiting == 0 || pinged.Before(lastRead) {
		*pinged = time.Time{}
	}
	switch {
	case waiting == 0 || now.Sub(lastRead) < c.opts.PingInterval:
	case pinged.IsZero():
		*pinged = now
		c.mu.Lock()
		_ = c.control.add(frame{kind: sendPing}) // a full queue means that the peer is not silent
		c.mu.Unlock()
		c.wakeWriter()
	case now.Sub(*pinged) >= c.opts.PingTimeout:
		c.fail(ErrSilent, http2.ErrCodeNo)
		return false
	}
	return true
}
