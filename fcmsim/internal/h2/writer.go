package h2

import (
	"net/http"
	"strconv"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// tableSize is HTTP/2's initial memory for header compression, in bytes.
const tableSize = 4096

// flush writes the collected frames. The link calls it before the reader waits.
func (c *conn) flush() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write()
}

func (c *conn) write() {
	if len(c.out) > 0 {
		if d := c.server.options.Write; d > 0 {
			_ = c.link.SetWriteDeadline(time.Now().Add(d))
		}
		_, _ = c.net.Write(c.out) // the reader sees that the connection ended
		c.out = c.out[:0]
	}
}

// respond sends the headers, and as much of the body as flow control allows.
func (c *conn) respond(st *stream, body []byte, then ending) {
	c.writeHeaders(st)
	st.rest, st.then = body, then
	c.pump(st)
}

func (c *conn) writeHeaders(st *stream) {
	c.block.Reset()
	c.encode(":status", strconv.Itoa(st.reply.Status))
	for _, f := range st.reply.Header {
		c.encode(f.Name, f.Value)
	}
	c.encode("date", c.date.text(time.Now()))
	c.encode("content-length", strconv.Itoa(len(st.reply.Body)))
	_ = c.frames.WriteHeaders(http2.HeadersFrameParam{
		StreamID: st.id, BlockFragment: c.block.Bytes(), EndHeaders: true,
	})
}

func (c *conn) encode(name, value string) {
	_ = c.encoder.WriteField(hpack.HeaderField{Name: name, Value: value}) // writes to memory
}

// pump sends as much of the body as flow control allows, and then the ending.
func (c *conn) pump(st *stream) {
	for {
		n := int(max(0, min(int64(len(st.rest)), int64(c.frame), c.window, st.window)))
		last := n == len(st.rest)
		if n > 0 || last && st.then == endStream {
			_ = c.frames.WriteData(st.id, last && st.then == endStream, st.rest[:n])
			c.window -= int64(n)
			st.window -= int64(n)
			st.rest = st.rest[n:]
		}
		if last {
			break
		}
		if n == 0 {
			c.blocked = append(c.blocked, st)
			return
		}
	}
	switch {
	case st.then == resetStream:
		c.reset(st, http2.ErrCodeInternal)
	case st.then == endStream && !st.isComplete:
		c.reset(st, http2.ErrCodeNo) // the rest of the request is not needed
	case st.then == endStream:
		c.finish(st, false)
	}
}

// unblock continues with the streams that flow control blocked.
func (c *conn) unblock() {
	blocked := c.blocked
	c.blocked = nil
	for _, st := range blocked {
		if c.streams[st.id] == st {
			c.pump(st)
		}
	}
}

func (c *conn) reset(st *stream, code http2.ErrCode) {
	_ = c.frames.WriteRSTStream(st.id, code)
	c.finish(st, false)
}

// date caches the Date header for a second.
type date struct {
	second int64
	latest string
}

func (d *date) text(now time.Time) string {
	if s := now.Unix(); s != d.second {
		d.second, d.latest = s, now.UTC().Format(http.TimeFormat)
	}
	return d.latest
}
