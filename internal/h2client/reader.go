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
		f, err := r.framer.ReadFrame()
		r.c.lastRead.Store(int64(time.Since(r.c.start)))
		if err == nil {
			err = r.handle(f)
		}
		if err != nil && !r.recover(err) {
			return
		}
	}
}

// recover resets the stream at fault, or ends the connection. It reports whether the connection
// lives.
func (r *reader) recover(err error) bool {
	if stream, ok := errors.AsType[http2.StreamError](err); ok {
		r.c.resetByID(stream)
		return true
	}
	r.c.fail(describe(err), codeOf(err))
	return false
}

// describe says what ended the connection.
func describe(err error) error {
	if errors.Is(err, io.EOF) {
		return errGone
	}
	return fmt.Errorf("read: %w", err)
}

func codeOf(err error) http2.ErrCode {
	if connection, ok := errors.AsType[http2.ConnectionError](err); ok {
		return http2.ErrCode(connection)
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
	}
	return nil // PRIORITY, and frames of extensions
}

// handleData adds to a response's body. Padding counts against the windows, too.
func (r *reader) handleData(f *http2.DataFrame) error {
	if err := r.count(int(f.Length)); err != nil {
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
	case len(s.resp.Body)+len(f.Data()) > c.opts.MaxBody:
		c.reset(s, http2.ErrCodeCancel, &Error{Err: ErrBodyTooLong, Sent: true})
		c.wakeWriter()
		return nil
	}
	s.resp.Body = append(s.resp.Body, f.Data()...)
	if f.StreamEnded() {
		c.complete(s)
	}
	return nil
}

// count counts received bytes, and returns them to the connection's window in large steps.
func (r *reader) count(n int) error {
	r.received += n
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
func (c *Conn) complete(s *stream) {
	if !s.ended {
		c.reset(s, http2.ErrCodeNo, nil)
		c.wakeWriter()
		return
	}
	c.forget(s)
	c.finish(s, nil)
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
