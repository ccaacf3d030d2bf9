package h2client

import (
	"context"
	"slices"
	"time"
)

// stream is one request and its response. Conn.mu guards its fields, except those that the caller
// sets before it is queued and reads after done.
type stream struct {
	ctx      context.Context
	req      *Request
	resp     *Response
	deadline time.Time
	done     chan struct{} // has room for one
	err      error         // the outcome; valid after done

	id       uint32 // 0: not begun
	window   int64  // bytes of the body that the peer takes
	written  int    // bytes of the body that were handed to the kernel or are being
	started  bool   // a frame may have reached the kernel
	held     bool   // the writer reads the request now, so the caller must wait
	finished bool   // err is set; done follows once the writer lets go
	received int    // bytes of DATA, padding included
	length   int    // of the response by its content-length; -1: unknown
	answered bool   // the final header fields have come
	ended    bool   // all of the request was written
}

// newStream returns the stream of a request, perhaps one that was used before.
func (c *Conn) newStream(ctx context.Context, r *Request, resp *Response) *stream {
	s, used := c.spare.Get().(*stream)
	if !used {
		s = &stream{done: make(chan struct{}, 1)}
	}
	*s = stream{ctx: ctx, req: r, resp: resp, done: s.done}
	if r.Timeout > 0 {
		s.deadline = time.Now().Add(r.Timeout)
	}
	*resp = Response{Body: resp.Body[:0]}
	return s
}

// recycle keeps a stream for another request.
func (c *Conn) recycle(s *stream) {
	*s = stream{done: s.done}
	c.spare.Put(s)
}

// isLengthWrong reports whether the body of a complete response is not as long as its header fields
// say (RFC 9113, section 8.1.1).
func (s *stream) isLengthWrong() bool { return s.length >= 0 && s.length != len(s.resp.Body) }

// expired returns why the request ends without a response now; nil if it does not.
func (s *stream) expired(now time.Time) error {
	if !s.deadline.IsZero() && now.After(s.deadline) {
		return ErrTimeout
	}
	return s.ctx.Err()
}

// finish ends a stream with its outcome. The caller holds mu. It has removed the stream from
// streams and queue, because another request may use it at once.
func (c *Conn) finish(s *stream, err *Error) {
	s.finished = true
	if err != nil {
		s.err = err
	}
	if c.inFlight--; c.inFlight == 0 {
		c.idleAt = time.Now()
	}
	if len(c.queue) > 0 {
		c.wakeWriter() // there may be room for one more stream
	}
	if !s.held {
		s.done <- struct{}{}
	}
}

// forget removes an open stream, before it is finished. Caller holds mu.
func (c *Conn) forget(s *stream) {
	delete(c.streams, s.id)
	if i := slices.Index(c.queue, s); !s.ended && i >= 0 {
		c.queue = slices.Delete(c.queue, i, i+1)
	}
}

// dropQueued ends the requests that have not begun. Caller holds mu.
func (c *Conn) dropQueued(err *Error) {
	c.queue = slices.DeleteFunc(c.queue, func(s *stream) bool {
		waits := s.id == 0
		if waits {
			c.finish(s, err)
		}
		return waits
	})
}
