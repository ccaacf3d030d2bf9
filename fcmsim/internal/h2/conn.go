package h2

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	maxStreamID = 1<<31 - 1
	maxWindow   = 1<<31 - 1
	// connWindow is what all bodies of a connection may take up before any is acknowledged: more than ever comes at once.
	connWindow = 16 << 20
)

// conn is one connection. Its reader is the goroutine of Serve; what falls due later is done on the timer's.
type conn struct {
	server *Server
	net    net.Conn
	link   *Link
	began  time.Time

	// Of the reader alone.
	frames  *http2.Framer // its writing half belongs to the lock
	headers *headerReader
	pending headersFrame // whose block is being read

	mu             sync.Mutex // guards the rest, and the order of what is written
	out            output
	encoder        *hpack.Encoder
	block          bytes.Buffer // where the encoder writes to
	date           date
	streams        map[uint32]*stream
	scheduled      schedule
	timer          *time.Timer
	blocked        []*stream // by flow control, in order; one that trickles can be in it more than once
	window         int64     // what the peer takes over all streams,
	initial        int64     // on a new stream,
	frame          int       // and in a frame
	unacknowledged uint32    // bytes of bodies that came in and are not acknowledged
	newest         uint32    // highest stream that came in
	last           uint32    // highest stream that is looked at
	isLeaving      bool      // GOAWAY is sent
}

// output collects frames; the framer writes into it.
type output []byte

func (o *output) Write(p []byte) (int, error) {
	*o = append(*o, p...)
	return len(p), nil
}

func newConn(s *Server, c net.Conn, link *Link) *conn {
	conn := &conn{
		server: s, net: c, link: link, began: time.Now(),
		headers: newHeaderReader(s.options.MaxHeader),
		streams: make(map[uint32]*stream),
		window:  65535, initial: 65535, frame: 16 << 10, // until the peer's settings say otherwise
		last: maxStreamID,
	}
	conn.frames = http2.NewFramer(&conn.out, bufio.NewReaderSize(c, 16<<10))
	conn.frames.SetMaxReadFrameSize(16 << 10)
	conn.frames.SetReuseFrames()
	conn.encoder = hpack.NewEncoder(&conn.block)
	conn.timer = time.AfterFunc(time.Hour, conn.runDue)
	conn.timer.Stop()
	return conn
}

// now is the time on the connection's own clock.
func (c *conn) now() int64 { return int64(time.Since(c.began)) }

func (c *conn) serve() {
	defer c.free()
	c.link.beforeWait = c.flush
	if d := c.server.options.Preface; d > 0 {
		_ = c.net.SetReadDeadline(c.began.Add(d))
	}
	err := c.readPreface()
	c.link.beforeWait = c.beforeWait
	for err == nil {
		var f http2.Frame
		if f, err = c.frames.ReadFrame(); err == nil {
			err = c.handleFrame(f)
		}
		if wrong, ok := errors.AsType[http2.StreamError](err); ok {
			c.resetFaulty(wrong)
			err = nil
		}
	}
	c.reportError(err)
}

// beforeWait writes what was collected, and bounds the wait of a connection on which nothing is under way.
func (c *conn) beforeWait() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write()
	idle := c.server.options.Idle
	if idle == 0 || c.isLeaving {
		return
	}
	var until time.Time
	if len(c.streams) == 0 {
		until = time.Now().Add(idle)
	}
	_ = c.link.SetReadDeadline(until)
}

// greet reads the client's preface and sends the settings.
func (c *conn) readPreface() error {
	preface := make([]byte, len(http2.ClientPreface))
	if _, err := io.ReadFull(c.net, preface); err != nil {
		return err
	}
	if string(preface) != http2.ClientPreface {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	o := c.server.options
	_ = c.frames.WriteSettings(
		http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: uint32(o.Streams)},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(o.MaxBody) + 64<<10}, // room to see that it is too large
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(o.MaxHeader)},
	)
	_ = c.frames.WriteWindowUpdate(0, connWindow-65535)
	return nil
}

// forbid resets a stream that broke the protocol.
func (c *conn) resetFaulty(wrong http2.StreamError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.frames.WriteRSTStream(wrong.StreamID, wrong.Code)
	if st := c.streams[wrong.StreamID]; st != nil {
		c.finish(st, true)
	}
}

// complain tells the peer of a connection that broke the protocol.
func (c *conn) reportError(err error) {
	code := http2.ErrCodeFrameSize
	if errors.Is(err, os.ErrDeadlineExceeded) { // it was idle for too long
		c.closeWithGoAway(http2.ErrCodeNo)
		return
	}
	if wrong, ok := errors.AsType[http2.ConnectionError](err); ok {
		code = http2.ErrCode(wrong)
	} else if !errors.Is(err, http2.ErrFrameTooLarge) {
		return // it has gone, or was sent away
	}
	c.server.options.Logger.Debug("HTTP/2 connection broke the protocol", slog.String("peer", c.net.RemoteAddr().String()), slog.Any("err", err))
	c.closeWithGoAway(code)
}

// sayGoodbye ends the connection at once.
func (c *conn) closeWithGoAway(code http2.ErrCode) {
	_ = c.net.SetWriteDeadline(time.Now().Add(goAwayTimeout)) // before the lock, which a peer that does not read may hold up
	c.mu.Lock()
	_ = c.frames.WriteGoAway(min(c.newest, c.last), code, nil)
	c.write()
	c.mu.Unlock()
	_ = c.link.Close()
}

// patience is how long a peer may keep a connection that has ended for it.
const lingerTimeout = 3 * time.Second

// leave lets the peer read all that was written, and the connection end when it has.
func (c *conn) closeWhenRead() {
	c.write()
	if t, ok := c.net.(*tls.Conn); ok {
		_ = t.CloseWrite() // the peer may have left already
	}
	c.link.closeWrite()
	_ = c.net.SetReadDeadline(time.Now().Add(lingerTimeout))
}

// end frees what the connection holds.
func (c *conn) free() {
	_ = c.net.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isLeaving = false // nobody is left to be told
	c.timer.Stop()
	for _, st := range c.streams {
		c.finish(st, true)
	}
}
