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
	// connWindow is how many bytes of bodies a connection may have unacknowledged. It is more than
	// a client sends at once.
	connWindow = 16 << 20
)

// conn is one connection. The goroutine of Serve reads; the goroutine of the timer sends delayed
// replies.
type conn struct {
	server *Server
	net    net.Conn
	link   *Link
	began  time.Time

	// Only the reader uses these.
	frames  *http2.Framer // the lock guards its writing half
	headers *headerReader
	pending headersFrame // whose header block is being read

	mu             sync.Mutex // guards the rest, and the order of writes
	out            output
	encoder        *hpack.Encoder
	block          bytes.Buffer // the encoder's output
	date           date
	streams        map[uint32]*stream
	scheduled      schedule
	timer          *time.Timer
	blocked        []*stream // by flow control, in order; a stream that trickles can occur more than once
	window         int64     // what the peer accepts over all streams,
	initial        int64     // on a new stream,
	frame          int       // and in a frame
	unacknowledged uint32    // bytes of bodies received
	newest         uint32    // highest stream received
	last           uint32    // highest stream that is processed
	isLeaving      bool      // GOAWAY was sent
}

// output collects the frames that the framer writes.
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
		window:  65535, initial: 65535, frame: 16 << 10, // until the peer's settings change them
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

// now returns the nanoseconds since the connection began.
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

// beforeWait writes the collected frames. It sets the idle timeout if the connection has no
// streams.
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

// readPreface reads the client's preface and sends the settings.
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
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(o.MaxBody) + 64<<10}, // room to detect a body that is too large
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: uint32(o.MaxHeader)},
	)
	_ = c.frames.WriteWindowUpdate(0, connWindow-65535)
	return nil
}

// resetFaulty resets a stream that violated the protocol.
func (c *conn) resetFaulty(wrong http2.StreamError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.frames.WriteRSTStream(wrong.StreamID, wrong.Code)
	if st := c.streams[wrong.StreamID]; st != nil {
		c.finish(st, true)
	}
}

// reportError sends GOAWAY to a peer that violated the protocol or was idle for too long.
func (c *conn) reportError(err error) {
	code := http2.ErrCodeFrameSize
	if errors.Is(err, os.ErrDeadlineExceeded) { // the peer was idle for too long
		c.closeWithGoAway(http2.ErrCodeNo)
		return
	}
	if wrong, ok := errors.AsType[http2.ConnectionError](err); ok {
		code = http2.ErrCode(wrong)
	} else if !errors.Is(err, http2.ErrFrameTooLarge) {
		return // the peer has left or the connection is closing
	}
	c.server.options.Logger.Debug("HTTP/2 protocol violated; connection closed", slog.String("peer", c.net.RemoteAddr().String()), slog.Any("err", err))
	c.closeWithGoAway(code)
}

// closeWithGoAway sends GOAWAY and ends the connection at once.
func (c *conn) closeWithGoAway(code http2.ErrCode) {
	// Set it before the lock, which a blocked write may hold.
	_ = c.net.SetWriteDeadline(time.Now().Add(goAwayTimeout))
	c.mu.Lock()
	_ = c.frames.WriteGoAway(min(c.newest, c.last), code, nil)
	c.write()
	c.mu.Unlock()
	_ = c.link.Close()
}

// lingerTimeout is how long a peer may keep a connection that has ended.
const lingerTimeout = 3 * time.Second

// closeWhenRead lets the peer read all that was written, and then the connection end.
func (c *conn) closeWhenRead() {
	c.write()
	if t, ok := c.net.(*tls.Conn); ok {
		_ = t.CloseWrite() // the peer may have left already
	}
	c.link.closeWrite()
	_ = c.net.SetReadDeadline(time.Now().Add(lingerTimeout))
}

// free releases what the connection holds.
func (c *conn) free() {
	_ = c.net.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isLeaving = false // no one is left to read a GOAWAY
	c.timer.Stop()
	for _, st := range c.streams {
		c.finish(st, true)
	}
}
