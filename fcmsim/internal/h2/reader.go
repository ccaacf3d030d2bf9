package h2

import (
	"golang.org/x/net/http2"
)

// headersFrame is a HEADERS frame whose block may continue in others.
type headersFrame struct {
	id     uint32
	isLast bool // no body follows
}

// handleFrame processes a frame. A StreamError ends its stream, any other error the connection.
func (c *conn) handleFrame(f http2.Frame) error {
	switch f := f.(type) {
	case *http2.HeadersFrame:
		c.pending = headersFrame{f.StreamID, f.StreamEnded()}
		c.headers.reset()
		return c.readHeaderBlock(f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.ContinuationFrame:
		return c.readHeaderBlock(f.HeaderBlockFragment(), f.HeadersEnded())
	case *http2.DataFrame:
		return c.readData(f)
	case *http2.SettingsFrame:
		return c.readSettings(f)
	case *http2.WindowUpdateFrame:
		return c.readWindow(f)
	case *http2.RSTStreamFrame:
		return c.readReset(f.StreamID)
	case *http2.PingFrame:
		c.readPing(f)
	case *http2.PushPromiseFrame:
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil
}

// readHeaderBlock decodes a part of a header block. After the last part, it handles the request or
// its trailers.
func (c *conn) readHeaderBlock(part []byte, last bool) error {
	if err := c.headers.read(part, last); err != nil || !last {
		return err
	}
	if st := c.findStream(c.pending.id); st != nil {
		return c.readTrailers(st)
	}
	st, err := c.openStream()
	if st == nil {
		return err
	}
	if reply, decided := c.server.handler.HandleHeaders(&st.request); decided {
		c.setReply(st, reply)
	} else if st.isComplete {
		c.handleRequest(st, nil)
	}
	return nil
}

func (c *conn) findStream(id uint32) *stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams[id]
}

// openStream makes the stream of a request's headers, nil if the request is ignored.
func (c *conn) openStream() (*stream, error) {
	request, code := c.headers.finish()
	c.mu.Lock()
	defer c.mu.Unlock()
	id := c.pending.id
	switch {
	case id%2 == 0:
		return nil, http2.ConnectionError(http2.ErrCodeProtocol)
	case id <= c.newest:
		return nil, nil // trailers of a stream that was already reset
	}
	c.newest = id
	switch {
	case id > c.last:
		return nil, nil // GOAWAY told the peer to repeat it
	case code != http2.ErrCodeNo:
		return nil, http2.StreamError{StreamID: id, Code: code}
	case len(c.streams) >= c.server.options.Streams:
		return nil, http2.StreamError{StreamID: id, Code: http2.ErrCodeRefusedStream}
	}
	st := &stream{id: id, request: request, isComplete: c.pending.isLast, window: c.initial, heapIndex: notScheduled}
	c.streams[id] = st
	return st, nil
}

// readTrailers checks that the trailers end the request.
func (c *conn) readTrailers(st *stream) error {
	if !c.pending.isLast {
		return http2.StreamError{StreamID: st.id, Code: http2.ErrCodeProtocol}
	}
	c.mu.Lock()
	again := st.isComplete
	st.isComplete = true
	c.mu.Unlock()
	if again {
		return http2.StreamError{StreamID: st.id, Code: http2.ErrCodeStreamClosed}
	}
	if !st.hasReply {
		c.handleRequest(st, st.body)
	}
	return nil
}

func (c *conn) readData(f *http2.DataFrame) error {
	st, err := c.receiveData(f)
	if st == nil || st.hasReply {
		return err
	}
	body := f.Data()
	if len(st.body)+len(body) > c.server.options.MaxBody {
		st.request.TooLarge = true
		c.handleRequest(st, nil)
		return nil
	}
	if len(st.body) > 0 || !f.StreamEnded() { // else the frame's own memory is enough
		st.body = append(st.body, body...)
		body = st.body
	}
	if f.StreamEnded() {
		c.handleRequest(st, body)
	}
	return nil
}

// receiveData finds the stream of a frame, nil if it is closed, and acknowledges bodies.
func (c *conn) receiveData(f *http2.DataFrame) (*stream, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unacknowledged += f.Length; c.unacknowledged > connWindow/2 {
		_ = c.frames.WriteWindowUpdate(0, c.unacknowledged)
		c.unacknowledged = 0
	}
	st := c.streams[f.StreamID]
	switch {
	case st == nil:
		return nil, c.checkClosed(f.StreamID)
	case st.isComplete:
		return nil, http2.StreamError{StreamID: st.id, Code: http2.ErrCodeStreamClosed}
	}
	st.isComplete = f.StreamEnded()
	return st, nil
}

// checkClosed checks a frame for a stream that is not open. A stream that was never opened violates
// the protocol.
func (c *conn) checkClosed(id uint32) error {
	if id > c.newest {
		return http2.ConnectionError(http2.ErrCodeProtocol)
	}
	return nil
}

// handleRequest calls the handler with a complete request.
func (c *conn) handleRequest(st *stream, body []byte) {
	st.request.Body = body
	reply := c.server.handler.HandleRequest(&st.request)
	st.request.Body = nil
	c.setReply(st, reply)
}

// readSettings applies the peer's settings.
func (c *conn) readSettings(f *http2.SettingsFrame) error {
	if f.IsAck() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := f.ForeachSetting(c.applySetting); err != nil {
		return err
	}
	_ = c.frames.WriteSettingsAck()
	c.unblock()
	return nil
}

func (c *conn) applySetting(s http2.Setting) error {
	if err := s.Valid(); err != nil {
		return err
	}
	switch s.ID {
	case http2.SettingInitialWindowSize:
		for _, st := range c.streams {
			st.window += int64(s.Val) - c.initial
		}
		c.initial = int64(s.Val)
	case http2.SettingMaxFrameSize:
		c.frame = int(s.Val)
	case http2.SettingHeaderTableSize:
		c.encoder.SetMaxDynamicTableSize(min(s.Val, tableSize))
	}
	return nil
}

func (c *conn) readWindow(f *http2.WindowUpdateFrame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.StreamID == 0 {
		if c.window += int64(f.Increment); c.window > maxWindow {
			return http2.ConnectionError(http2.ErrCodeFlowControl)
		}
		c.unblock()
		return nil
	}
	st := c.streams[f.StreamID]
	if st == nil {
		return c.checkClosed(f.StreamID)
	}
	if st.window += int64(f.Increment); st.window > maxWindow {
		return http2.StreamError{StreamID: st.id, Code: http2.ErrCodeFlowControl}
	}
	c.unblock()
	return nil
}

// readReset ends a stream whose sender has left.
func (c *conn) readReset(id uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if st := c.streams[id]; st != nil {
		c.finish(st, true)
		return nil
	}
	return c.checkClosed(id)
}

func (c *conn) readPing(f *http2.PingFrame) {
	if f.IsAck() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.frames.WritePing(true, f.Data)
}
