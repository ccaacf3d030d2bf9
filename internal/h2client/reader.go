package h2client

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/net/http2"
)

// reader reads frames. One goroutine uses it.
type reader struct {
	c        *Conn
	framer   *http2.Framer
	header   headerReader
	received int // bytes of DATA since the last update of the connection's window
	idle     int // frames that carried nothing, since one that did
}

func newReader(c *Conn) *reader {
	r := &reader{c: c}
	r.header.init()
	r.framer = http2.NewFramer(io.Discard, bufio.NewReaderSize(c.nc, 32<<10))
	r.framer.SetMaxReadFrameSize(16384) // what we announce by announcing nothing
	r.framer.SetReuseFrames()
	return r
}

// readFirstSettings reads the frame that begins a server's side of the connection.
func (r *reader) readFirstSettings() error {
	f, err := r.framer.ReadFrame()
	if err != nil {
		return err
	}
	settings, ok := f.(*http2.SettingsFrame)
	if !ok || settings.IsAck() {
		return errors.New("the server does not speak HTTP/2")
	}
	return r.c.apply(settings)
}

// run reads until the connection ends.
func (r *reader) run() {
	for {
		f, err := r.read()
		r.c.lastRead.Store(int64(time.Since(r.c.start)))
		if err == nil {
			err = r.handle(f)
		}
		if err != nil && !r.recover(err) {
			return
		}
	}
}

// read reads one frame. A HEADERS frame that cannot be parsed ends the connection: its block is
// lost, and the compression table would be another than the peer's.
func (r *reader) read() (http2.Frame, error) {
	head, err := r.framer.ReadFrameHeader()
	if err != nil {
		return nil, err
	}
	f, err := r.framer.ReadFrameForHeader(head)
	if _, ok := errors.AsType[http2.StreamError](err); ok && head.Type == http2.FrameHeaders {
		return nil, http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return f, err
}

// maxIdleFrames limits the frames in a row that carry nothing. Each of them shows that the peer is
// alive, so no timeout would end a connection that gets nothing else.
const maxIdleFrames = 1000

var errIdleFrames = errors.New("the server sends frames that carry nothing")

// countIdle counts a frame that carries nothing.
func (r *reader) countIdle() error {
	if r.idle++; r.idle > maxIdleFrames {
		return errIdleFrames
	}
	return nil
}

// recover resets the stream at fault, or ends the connection. It reports whether the connection
// lives.
func (r *reader) recover(err error) bool {
	if stream, ok := errors.AsType[http2.StreamError](err); ok {
		r.c.resetByID(stream)
		return true
	}
	r.c.fail(r.c.describe(err), codeOf(err))
	return false
}

// describe says what ended the connection, and what the peer had said before.
func (c *Conn) describe(err error) error {
	if errors.Is(err, io.EOF) {
		err = errGone
	} else {
		err = fmt.Errorf("read: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.goaway != nil {
		err = fmt.Errorf("%w; %w", err, c.goaway)
	}
	return err
}

// codeOf returns the code that tells the peer which rule it broke.
func codeOf(err error) http2.ErrCode {
	connection, ok := errors.AsType[http2.ConnectionError](err)
	switch {
	case ok:
		return http2.ErrCode(connection)
	case errors.Is(err, http2.ErrFrameTooLarge):
		return http2.ErrCodeFrameSize
	case errors.Is(err, errIdleFrames), errors.Is(err, errFlood):
		return http2.ErrCodeEnhanceYourCalm
	}
	return http2.ErrCodeProtocol
}

// handle acts on a frame. A http2.StreamError resets its stream; any other error ends the
// connection.
func (r *reader) handle(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.HeadersFrame:
		return r.handleHeader(f.StreamID, f.HeaderBlockFragment(), f.HeadersEnded(), f.StreamEnded(), true)
	case *http2.ContinuationFrame:
		return r.handleHeader(f.StreamID, f.HeaderBlockFragment(), f.HeadersEnded(), false, false)
	case *http2.DataFrame:
		return r.handleData(f)
	case *http2.RSTStreamFrame:
		return r.c.handleReset(f.StreamID, f.ErrCode)
	case *http2.SettingsFrame:
		defer r.c.opts.OnChange()
		defer r.c.wakeWriter()
		return r.c.apply(f)
	case *http2.WindowUpdateFrame:
		defer r.c.wakeWriter()
		return r.c.addWindow(f.StreamID, int64(f.Increment))
	case *http2.PingFrame:
		return r.c.answerPing(f)
	case *http2.GoAwayFrame:
		r.c.handleGoAway(f.LastStreamID, f.ErrCode)
		r.c.opts.OnChange()
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol) // we forbid it
	default: // PRIORITY, and frames of extensions
		return r.countIdle()
	}
	return nil
}

// handleData adds to a response's body. Padding counts against the windows, too.
func (r *reader) handleData(f *http2.DataFrame) error {
	if err := r.count(f); err != nil {
		return err
	}
	c := r.c
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[f.StreamID]
	switch {
	case s == nil:
		return c.checkKnown(f.StreamID)
	case !s.answered:
		return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeProtocol, Cause: errors.New("data before header fields")}
	case s.received+int(f.Length) > streamWindow:
		return http2.StreamError{StreamID: f.StreamID, Code: http2.ErrCodeFlowControl, Cause: errors.New("more data than the window allows")}
	case len(s.resp.Body)+len(f.Data()) > c.opts.MaxBody:
		c.reset(s, http2.ErrCodeCancel, &Error{Err: ErrBodyTooLong, Sent: true})
		c.wakeWriter()
		return nil
	}
	if len(f.Data()) > 0 {
		r.idle = 0
	}
	s.received += int(f.Length)
	s.resp.Body = append(s.resp.Body, f.Data()...)
	if f.StreamEnded() {
		return c.complete(s)
	}
	return nil
}

// count counts received bytes, and returns them to the connection's window in large steps. They are
// read at once, so it does not matter how many come before the peer knows of an update.
func (r *reader) count(f *http2.DataFrame) error {
	if len(f.Data()) == 0 && !f.StreamEnded() {
		if err := r.countIdle(); err != nil {
			return err
		}
	}
	r.received += int(f.Length)
	if r.received < connWindow/2 {
		return nil
	}
	r.c.mu.Lock()
	err := r.c.control.add(frame{kind: updateWindow, n: uint32(r.received)})
	r.c.mu.Unlock()
	r.received = 0
	r.c.wakeWriter()
	return err
}

// complete ends a stream whose response is complete. A server may answer before it has read all of
// the request: the rest is not sent then. Caller holds mu.
func (c *Conn) complete(s *stream) error {
	if s.isLengthWrong() {
		return http2.StreamError{StreamID: s.id, Code: http2.ErrCodeProtocol, Cause: errors.New("another length than content-length")}
	}
	if !s.ended {
		c.reset(s, http2.ErrCodeNo, nil)
		c.wakeWriter()
		return nil
	}
	c.forget(s)
	c.finish(s, nil)
	return nil
}

// resetByID resets a stream for an error of the peer.
func (c *Conn) resetByID(e http2.StreamError) {
	c.mu.Lock()
	if s := c.streams[e.StreamID]; s != nil {
		c.reset(s, e.Code, &Error{Err: e, Sent: true})
	}
	c.mu.Unlock()
	c.wakeWriter()
}

// handleReset ends a stream that the peer has reset.
func (c *Conn) handleReset(id uint32, code http2.ErrCode) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.streams[id]
	if s == nil {
		return c.checkKnown(id)
	}
	c.forget(s)
	if code == http2.ErrCodeRefusedStream {
		c.finish(s, &Error{Err: fmt.Errorf("%w: %w", ErrUnprocessed, resetError{code})})
		return nil
	}
	c.finish(s, &Error{Err: resetError{code}, Sent: true})
	return nil
}

// answerPing acknowledges a PING. Every frame shows that the peer is alive, so an acknowledgement
// needs no more.
func (c *Conn) answerPing(f *http2.PingFrame) error {
	if f.IsAck() {
		return nil
	}
	c.mu.Lock()
	err := c.control.add(frame{kind: ackPing, data: f.Data})
	c.mu.Unlock()
	c.wakeWriter()
	return err
}

// handleGoAway takes no more requests. Streams above last were not processed, and will not be.
func (c *Conn) handleGoAway(last uint32, code http2.ErrCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.goaway = goawayError{code}
	for id, s := range c.streams {
		if id > last {
			c.forget(s)
			c.finish(s, &Error{Err: fmt.Errorf("%w: %w", ErrUnprocessed, c.goaway)})
		}
	}
	c.dropQueued(&Error{Err: fmt.Errorf("%w: %w", ErrUnprocessed, c.goaway)})
}
