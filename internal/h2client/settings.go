package h2client

import (
	"math"
	"time"

	"golang.org/x/net/http2"
)

// Limits of HTTP/2 (RFC 9113, sections 5.1.1, 6.5.2 and 6.9).
const (
	initialWindow = 65535
	maxWindow     = math.MaxInt32
	maxStreamID   = math.MaxInt32
)

const (
	// streamWindow is what the peer may send on one stream. It is more than MaxBody, so streams
	// need no updates: a longer response is reset.
	streamWindow = 1 << 20
	// connWindow is what the peer may send on all streams. An update follows when half is used.
	connWindow = 1 << 24
	// maxHeaderBytes limits the header fields of one response, compressed and not.
	maxHeaderBytes = 64 << 10
	// noStreamsTimeout is how long a peer may allow no request at all.
	noStreamsTimeout = 10 * time.Second
	// defaultMaxStreams holds until the peer's settings say otherwise.
	defaultMaxStreams = 100
)

// peerSettings are what the peer allows.
type peerSettings struct {
	maxStreams    uint32
	noneSince     time.Time // when maxStreams became 0
	initialWindow int64
	maxFrame      uint32
	tableSize     uint32 // of the header compression
	smallestTable uint32 // the smallest tableSize since the writer looked
}

func defaultPeerSettings() peerSettings {
	return peerSettings{maxStreams: defaultMaxStreams, initialWindow: initialWindow, maxFrame: 16384, tableSize: 4096, smallestTable: 4096}
}

// apply applies a SETTINGS frame and queues its acknowledgement. It returns a connection error for
// settings that no server may send.
func (c *Conn) apply(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	err := f.ForeachSetting(func(s http2.Setting) error {
		if err := s.Valid(); err != nil {
			return err
		}
		switch s.ID {
		case http2.SettingMaxConcurrentStreams:
			c.setMaxStreams(min(s.Val, math.MaxInt32))
		case http2.SettingMaxFrameSize:
			c.peer.maxFrame = s.Val
		case http2.SettingHeaderTableSize:
			c.peer.tableSize = s.Val
			c.peer.smallestTable = min(c.peer.smallestTable, s.Val)
		case http2.SettingInitialWindowSize:
			return c.changeInitialWindow(int64(s.Val))
		case http2.SettingEnablePush:
			if s.Val != 0 {
				return http2.ConnectionError(http2.ErrCodeProtocol) // a server may only say 0
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	c.markOpen()
	return c.control.add(frame{kind: ackSettings})
}

// setMaxStreams takes the peer's limit of open streams. Zero is allowed for a short time (RFC 9113,
// section 6.5.2). Caller holds mu.
func (c *Conn) setMaxStreams(n uint32) {
	switch {
	case n > 0:
		c.peer.noneSince = time.Time{}
	case c.peer.maxStreams > 0:
		c.peer.noneSince = time.Now()
	}
	c.peer.maxStreams = n
}

// markOpen notes that the peer allows a request. Caller holds mu.
func (c *Conn) markOpen() {
	if c.peer.maxStreams == 0 {
		return
	}
	select {
	case <-c.open:
	default:
		close(c.open)
	}
}

// changeInitialWindow moves the windows of all open streams (RFC 9113, section 6.9.2). They may
// become negative. Caller holds mu.
func (c *Conn) changeInitialWindow(size int64) error {
	change := size - c.peer.initialWindow
	for _, s := range c.streams {
		if s.window+change > maxWindow {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		s.window += change
	}
	c.peer.initialWindow = size
	return nil
}

// addWindow lets more bytes go, on a stream or, with id 0, on the connection.
func (c *Conn) addWindow(id uint32, n int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if id == 0 {
		if c.window+n > maxWindow {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		c.window += n
		return nil
	}
	s := c.streams[id]
	if s == nil {
		return c.checkKnown(id)
	}
	if s.window+n > maxWindow {
		c.reset(s, http2.ErrCodeFlowControl, &Error{Err: http2.StreamError{StreamID: id, Code: http2.ErrCodeFlowControl}, Sent: true})
		return nil
	}
	s.window += n
	return nil
}

// checkKnown returns a connection error if no stream of that id was ever opened. Caller holds mu.
func (c *Conn) checkKnown(id uint32) error {
	if id%2 == 0 || id >= c.nextID {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil // closed meanwhile
}
