// Package h2client is one HTTP/2 connection that sends many small requests of the same kind at
// little more than the cost of their bytes.
//
// net/http writes each request by itself: two TLS records, and several switches of goroutines. Here
// one goroutine writes all requests that are ready as one record (writer.go), and one reads the
// responses (reader.go, headers.go). A third enforces deadlines and checks that the peer is alive
// (watch.go). A caller waits for nothing but its response.
//
// The connection knows of each request whether the peer can have it: see Error.
package h2client

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// Options configure a Conn. Zero fields take their defaults.
type Options struct {
	// Header are the fields of every request, in their order, the pseudo-header fields first.
	Header []Field
	// MaxStreams limits the requests in flight; the peer may allow fewer. Default 100.
	MaxStreams int
	// MaxBody limits a response's body in bytes. A longer one ends with ErrBodyTooLong. Default
	// 64 KiB.
	MaxBody int
	// PingInterval is how long the peer may be silent while requests wait before it gets a PING.
	// PingTimeout is how long it may take to send anything then. Defaults 15 s and 10 s.
	PingInterval, PingTimeout time.Duration
	// IdleTimeout closes a connection without requests. Default 90 s.
	IdleTimeout time.Duration
	// OnChange is called after the peer has changed how many requests it takes, and after the
	// connection has ended, except by Close. The connection waits for it.
	OnChange func()
}

// Field is one header field; its name is in lower case.
type Field struct{ Name, Value string }

func (o Options) withDefaults() Options {
	o.MaxStreams = cmp.Or(o.MaxStreams, 100)
	o.MaxBody = cmp.Or(o.MaxBody, 64<<10)
	o.PingInterval = cmp.Or(o.PingInterval, 15*time.Second)
	o.PingTimeout = cmp.Or(o.PingTimeout, 10*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 90*time.Second)
	if o.OnChange == nil {
		o.OnChange = func() {}
	}
	return o
}

// Request is one POST.
type Request struct {
	// Authorization is the value of that field; "" sends none. It should be the same for many
	// requests: then it costs one byte each.
	Authorization string
	Body          []byte // not changed, and not read any more once Do has returned
	Timeout       time.Duration
}

// Response is what the peer answered.
type Response struct {
	Status      int
	RetryAfter  []string // a server should send one
	ContentType string
	Body        []byte
}

// Conn is a client's connection. It is safe for concurrent use.
type Conn struct {
	nc     net.Conn
	opts   Options
	work   sync.WaitGroup
	wake   chan struct{} // the writer has something to do
	open   chan struct{} // the peer has allowed a request
	closed chan struct{} // the connection has ended

	spare    sync.Pool    // of *stream
	lastRead atomic.Int64 // when something was read, in ns since start
	start    time.Time

	mu       sync.Mutex    // guards the fields below and those of each stream
	err      error         // why the connection has ended
	writing  bool          // a write is under way, and says what of its batch the kernel has
	code     http2.ErrCode // what the peer is told then
	goaway   error         // why it takes no more requests
	streams  map[uint32]*stream
	queue    []*stream // not written yet, or not completely
	nextID   uint32
	inFlight int // queued and open streams
	idleAt   time.Time
	peer     peerSettings
	window   int64 // bytes that may be sent on the connection
	control  controlQueue
}

// New sends the preface on a connection whose peer speaks HTTP/2, and waits until the peer's
// settings allow a request: a server may allow none at first. On an error nc is closed.
func New(ctx context.Context, nc net.Conn, o Options) (*Conn, error) {
	c := &Conn{
		nc: nc, opts: o.withDefaults(), wake: make(chan struct{}, 1), open: make(chan struct{}), closed: make(chan struct{}), start: time.Now(),
		streams: make(map[uint32]*stream), nextID: 1, peer: defaultPeerSettings(), window: initialWindow,
	}
	c.idleAt = c.start
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	r := newReader(c)
	err := c.greet(r)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = nc.Close()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		return nil, fmt.Errorf("begin HTTP/2: %w", err)
	}
	c.work.Go(newWriter(c).run)
	c.work.Go(r.run)
	c.work.Go(c.watch)
	c.wakeWriter() // the settings want an acknowledgement
	if err := c.awaitOpen(ctx); err != nil {
		_ = c.Close()
		return nil, fmt.Errorf("begin HTTP/2: %w", err)
	}
	return c, nil
}

// awaitOpen waits until the peer allows a request.
func (c *Conn) awaitOpen(ctx context.Context) error {
	select {
	case <-c.open:
		return nil
	case <-c.closed:
		return c.Err()
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errNoStreams, context.Cause(ctx))
	}
}

// greet exchanges the first frames.
func (c *Conn) greet(r *reader) error {
	w := newWriter(c)
	w.writePreface()
	if err := w.flush(); err != nil {
		return err
	}
	return r.readFirstSettings()
}

// Do sends a request and waits for its response, which it reads into resp. Its error is an *Error.
// It makes one request and never repeats it. The end of ctx is noticed within watchInterval.
func (c *Conn) Do(ctx context.Context, r *Request, resp *Response) error {
	if err := ctx.Err(); err != nil {
		return &Error{Err: err}
	}
	s := c.newStream(ctx, r, resp)
	defer c.recycle(s)
	if err := c.enqueue(s); err != nil {
		return err
	}
	<-s.done
	return s.err
}

func (c *Conn) enqueue(s *stream) error {
	c.mu.Lock()
	if err := c.refusal(); err != nil {
		c.mu.Unlock()
		return &Error{Err: err}
	}
	c.inFlight++
	c.queue = append(c.queue, s)
	c.mu.Unlock()
	c.wakeWriter()
	return nil
}

// refusal is why the connection takes no request; nil if it does. Caller holds mu.
func (c *Conn) refusal() error {
	switch {
	case c.err != nil:
		return c.err
	case c.goaway != nil:
		return c.goaway
	case c.nextID > maxStreamID-2*uint32(len(c.queue)):
		return errIDsUsedUp
	}
	return nil
}

func (c *Conn) wakeWriter() {
	select {
	case c.wake <- struct{}{}:
	default: // it is awake, or will be
	}
}

// Available returns how many more requests the connection takes now. Zero for good means that it is
// ending: see IsEnding.
func (c *Conn) Available() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refusal() != nil {
		return 0
	}
	return max(0, c.streamLimit()-c.inFlight)
}

// StreamLimit returns how many requests may be in flight by the peer's settings and ours.
func (c *Conn) StreamLimit() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streamLimit()
}

// streamLimit is StreamLimit for a caller that holds mu.
func (c *Conn) streamLimit() int { return min(c.opts.MaxStreams, int(c.peer.maxStreams)) }

// IsEnding reports whether the connection takes no more requests, whatever the peer allows later.
func (c *Conn) IsEnding() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.refusal() != nil
}

// Err returns why the connection has ended, or nil.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection at once. Requests in flight end with ErrClosed.
func (c *Conn) Close() error {
	c.fail(ErrClosed, http2.ErrCodeNo)
	c.work.Wait()
	return nil
}

// fail ends the connection and all requests on it. It tells the peer why, if that is possible. Only
// a write that is under way knows which requests the kernel has: then the writer ends them.
func (c *Conn) fail(err error, code http2.ErrCode) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err, c.code = err, code
	if !c.writing {
		c.endStreams()
	}
	c.dropQueued(&Error{Err: err})
	_ = c.nc.SetWriteDeadline(time.Now().Add(goodbyeTimeout))
	c.mu.Unlock()
	close(c.closed)
	_ = c.nc.SetReadDeadline(time.Unix(1, 0))
	if !errors.Is(err, ErrClosed) {
		c.opts.OnChange()
	}
}

// endStreams ends the open streams of a connection that has ended. Caller holds mu.
func (c *Conn) endStreams() {
	for _, s := range c.streams {
		c.forget(s)
		c.finish(s, &Error{Err: c.err, Sent: s.started})
	}
}
