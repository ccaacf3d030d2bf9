package h2client

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"time"

	"golang.org/x/net/http2"
)

const (
	// writeTimeout is how long the kernel may take for one write, when the peer does not read.
	writeTimeout = 15 * time.Second
	// goodbyeTimeout is how long a last GOAWAY may take.
	goodbyeTimeout = 100 * time.Millisecond
	// maxWrite is the size after which a batch is written; it fills one TLS record.
	maxWrite = 16 << 10
	// gatherTime is how long a write waits for more requests on a busy connection. A write costs as
	// much as several requests, here and at the peer. In three alternating pairs, 0.3 ms and 1 ms
	// both saved a fifth of the dispatcher's CPU. busyFrom requests in flight make a connection
	// busy: with fewer, none is delayed. enough requests wait for no more.
	gatherTime       = 500 * time.Microsecond
	busyFrom, enough = 16, 32
)

// writer turns requests into frames. One goroutine uses it.
type writer struct {
	c      *Conn
	out    bytes.Buffer
	framer *http2.Framer
	header headerWriter
	batch  []part
	frames []frame
}

// part is what the next write has of a stream.
type part struct {
	s        *stream // not read after release
	id       uint32
	first    bool // with the header fields
	from, to int  // of the body
	start    int  // of its frames in the buffer
}

func newWriter(c *Conn) *writer {
	w := &writer{c: c}
	w.framer = http2.NewFramer(&w.out, nil)
	w.header.init(c.opts.Header)
	return w
}

func (w *writer) writePreface() {
	w.out.WriteString(http2.ClientPreface)
	_ = w.framer.WriteSettings( // a buffer takes all
		http2.Setting{ID: http2.SettingEnablePush, Val: 0},
		http2.Setting{ID: http2.SettingInitialWindowSize, Val: streamWindow},
		http2.Setting{ID: http2.SettingMaxHeaderListSize, Val: maxHeaderBytes},
	)
	_ = w.framer.WriteWindowUpdate(0, connWindow-initialWindow)
}

// run writes until the connection ends.
func (w *writer) run() {
	more := time.NewTimer(gatherTime)
	defer more.Stop()
	for {
		select {
		case <-w.c.wake:
		case <-w.c.closed:
			w.sayGoodbye()
			_ = w.c.nc.Close()
			return
		}
		// Those that the reader has just woken get to queue their next request. One write then
		// carries them all.
		runtime.Gosched()
		if w.c.isBusy() {
			more.Reset(gatherTime)
			select {
			case <-more.C:
			case <-w.c.closed:
			}
		}
		for w.take() {
			if err := w.flush(); err != nil {
				w.c.fail(fmt.Errorf("write: %w", err), http2.ErrCodeInternal)
				break
			}
		}
	}
}

// isBusy reports whether more requests will probably come within gatherTime.
func (c *Conn) isBusy() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.inFlight >= busyFrom && len(c.queue) < enough
}

// take collects what can be written now, and reports whether there is something.
func (w *writer) take() bool {
	c := w.c
	w.batch = w.batch[:0]
	c.mu.Lock()
	c.endWrite()
	w.frames, c.control.frames = c.control.frames, w.frames[:0]
	smallest, table, maxFrame := c.peer.smallestTable, c.peer.tableSize, int(c.peer.maxFrame)
	c.peer.smallestTable = table
	w.takeParts()
	c.mu.Unlock()
	w.header.setTableSize(smallest) // it emptied the peer's table (RFC 7541, section 4.2)
	w.header.setTableSize(table)
	for _, f := range w.frames {
		w.writeControl(f)
	}
	for i := range w.batch {
		w.writePart(&w.batch[i], maxFrame)
	}
	w.release()
	return w.out.Len() > 0
}

// takeParts decides what goes out of each queued stream. Caller holds Conn.mu.
func (w *writer) takeParts() {
	c, size := w.c, 0
	c.queue = slices.DeleteFunc(c.queue, func(s *stream) bool {
		if size >= maxWrite || s.id == 0 && !c.canOpen() {
			return false
		}
		p := part{s: s, first: s.id == 0, from: s.written}
		if p.first {
			s.id, s.window = c.nextID, c.peer.initialWindow
			c.nextID += 2
			c.streams[s.id] = s
		}
		n := max(0, min(int64(len(s.req.Body)-s.written), s.window, c.window))
		s.window, c.window = s.window-n, c.window-n
		s.written += int(n)
		s.ended = s.written == len(s.req.Body)
		p.id, p.to = s.id, s.written
		if p.first || n > 0 {
			s.held, s.started = true, true
			size += int(n) + 64
			w.batch = append(w.batch, p)
		}
		return s.ended
	})
}

// canOpen reports whether the peer allows one more open stream. Caller holds mu.
func (c *Conn) canOpen() bool {
	return uint32(len(c.streams)) < c.peer.maxStreams && c.goaway == nil && c.nextID <= maxStreamID
}

// writePart adds the frames of a part to the buffer.
func (w *writer) writePart(p *part, maxFrame int) {
	p.start = w.out.Len()
	body := p.s.req.Body
	if p.first {
		w.writeHeader(p.s, maxFrame, len(body) == 0)
	}
	for from := p.from; from < p.to; {
		to := min(p.to, from+maxFrame)
		_ = w.framer.WriteData(p.s.id, to == len(body), body[from:to])
		from = to
	}
}

// writeHeader adds the header fields, in CONTINUATION frames as well if they are long.
func (w *writer) writeHeader(s *stream, maxFrame int, end bool) {
	block := w.header.encode(s.req)
	first := block[:min(len(block), maxFrame)]
	_ = w.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: first, EndStream: end, EndHeaders: len(first) == len(block)})
	for rest := block[len(first):]; len(rest) > 0; {
		next := rest[:min(len(rest), maxFrame)]
		rest = rest[len(next):]
		_ = w.framer.WriteContinuation(s.id, len(rest) == 0, next)
	}
}

func (w *writer) writeControl(f frame) {
	switch f.kind {
	case ackSettings:
		_ = w.framer.WriteSettingsAck()
	case ackPing:
		_ = w.framer.WritePing(true, f.data)
	case sendPing:
		_ = w.framer.WritePing(false, f.data)
	case resetStream:
		_ = w.framer.WriteRSTStream(f.id, f.code)
	case updateWindow:
		_ = w.framer.WriteWindowUpdate(0, f.n)
	}
}

// flush writes the buffer in one go.
func (w *writer) flush() error {
	w.c.beginWrite()
	n, err := w.c.nc.Write(w.out.Bytes())
	if err != nil {
		w.markUnsent(n)
	}
	w.out.Reset()
	return err
}

// beginWrite gives the next write its time, unless the connection is ending: then that of the
// goodbye stays.
func (c *Conn) beginWrite() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writing = true
	if c.err == nil {
		_ = c.nc.SetWriteDeadline(time.Now().Add(writeTimeout))
	}
}

// endWrite ends the requests of a connection that has ended during the write. Caller holds mu.
func (c *Conn) endWrite() {
	c.writing = false
	if c.err != nil {
		c.endStreams()
	}
}

// markUnsent marks requests of which no byte reached the kernel, after a write of n bytes that
// failed.
func (w *writer) markUnsent(n int) {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	for _, p := range w.batch {
		if s := w.c.streams[p.id]; s != nil && p.first && p.start >= n {
			s.started = false
		}
	}
	w.c.endWrite()
}

// release lets go of the streams of the batch, whose frames are in the buffer now. It ends those
// that have an outcome already.
func (w *writer) release() {
	w.c.mu.Lock()
	defer w.c.mu.Unlock()
	for _, p := range w.batch {
		p.s.held = false
		if p.s.finished {
			p.s.done <- struct{}{}
		}
	}
}

// sayGoodbye tells the peer that the connection ends.
func (w *writer) sayGoodbye() {
	w.c.mu.Lock()
	code := w.c.code
	w.c.mu.Unlock()
	_ = w.framer.WriteGoAway(0, code, nil)
	_, _ = w.c.nc.Write(w.out.Bytes())
}
