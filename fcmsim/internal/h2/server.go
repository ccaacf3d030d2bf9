// Package h2 is an HTTP/2 server for small requests and responses that can fail in many ways.
//
// One goroutine per connection reads, calls the handler and writes immediate replies. A timer
// writes delayed ones. All replies to one read are sent in one write, and no request starts a
// goroutine.
//
// Like Google's front end, it ignores the values of pseudo-headers that it does not need.
package h2

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// Options configure a Server.
type Options struct {
	// Streams is how many streams a connection may have at once. 0 is 100, FCM's limit.
	Streams int
	// MaxBody is the largest body of a request in bytes. 0 is 1 MiB.
	MaxBody int
	// MaxHeader is the largest header list of a request in bytes, as HTTP/2 counts them. 0 is 64
	// KiB.
	MaxHeader int
	// Preface is the timeout for the client's preface, Write that of each write. Idle is how long a
	// connection without a request may stay open. 0 is no timeout.
	Preface, Write, Idle time.Duration
	// Logger receives protocol errors of connections at debug level. Nil discards them.
	Logger *slog.Logger
}

func (o *Options) complete() {
	if o.Streams == 0 {
		o.Streams = 100
	}
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	if o.MaxHeader == 0 {
		o.MaxHeader = 64 << 10
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Server serves connections that its caller accepted.
type Server struct {
	handler Handler
	options Options

	mu      sync.Mutex
	open    map[*conn]struct{}
	closed  bool
	serving sync.WaitGroup
}

// NewServer makes a server without connections.
func NewServer(h Handler, o Options) *Server {
	o.complete()
	return &Server{handler: h, options: o, open: make(map[*conn]struct{})}
}

// Serve speaks HTTP/2 until the connection ends. c is the link itself, or TLS over it.
func (s *Server) Serve(c net.Conn, link *Link) {
	conn := newConn(s, c, link)
	if !s.add(conn) {
		_ = c.Close()
		return
	}
	defer s.remove(conn)
	conn.serve()
}

func (s *Server) add(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[c] = struct{}{}
	s.serving.Add(1)
	return true
}

func (s *Server) remove(c *conn) {
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	s.serving.Done()
}

// goAwayTimeout is how long a peer that does not read can delay Close.
const goAwayTimeout = 100 * time.Millisecond

// Close sends all peers a GOAWAY with the last stream received, ends all connections and waits for
// their goroutines. Further calls do nothing.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	var farewells sync.WaitGroup
	for c := range s.open {
		farewells.Go(func() { c.closeWithGoAway(http2.ErrCodeNo) })
	}
	s.mu.Unlock()
	farewells.Wait()
	s.serving.Wait()
}

// Handler decides on requests. The goroutines of all connections call it. It should not block,
// because the other streams of the connection wait for it.
type Handler interface {
	// HandleHeaders is called when the headers of a request are complete. If it returns true, the
	// reply is final and the body is not read.
	HandleHeaders(*Request) (Reply, bool)
	// HandleRequest is called with a complete request.
	HandleRequest(*Request) Reply
	// Finish is called once for each request that HandleHeaders received. left reports that the
	// sender or the connection was gone before the reply was sent.
	Finish(r *Request, left bool)
}

// Request is what a handler needs of a request.
type Request struct {
	Method        string
	Path          string // decoded, without the query
	Authorization string
	Body          []byte // valid only until HandleRequest returns
	TooLarge      bool   // the body is longer than MaxBody and left out
}

// Field is a header field; its name is in lower case.
type Field struct{ Name, Value string }

// Reply is the response to a request, and what goes wrong with it.
type Reply struct {
	Fault  Fault
	Delay  time.Duration // from the decision to the reply; for FaultTrickle, the time of the whole body
	Status int
	Header []Field // besides content-length and date
	Body   []byte  // must not change after the call
}

// Fault is what goes wrong with a reply.
type Fault uint8

// The faults. Those that send a response use the reply's status, header and body.
const (
	// FaultNone sends the whole response.
	FaultNone Fault = iota
	// FaultTrickle sends the headers at once and the body in pieces, the last one after the delay.
	FaultTrickle
	// FaultTruncate promises the whole body by content-length, sends half of it and resets the
	// stream with INTERNAL_ERROR.
	FaultTruncate
	// FaultHang never replies.
	FaultHang
	// FaultReset resets the stream with INTERNAL_ERROR.
	FaultReset
	// FaultRefuse resets the stream with REFUSED_STREAM: the request was not processed and can be
	// repeated.
	FaultRefuse
	// FaultGoAwayAfter sends the whole response, and GOAWAY with the highest stream received. All
	// streams up to that one are still answered; then the connection ends.
	FaultGoAwayAfter
	// FaultGoAwayBefore sends GOAWAY with the stream below this one. Streams up to that one are
	// still answered; this one and all after it can be repeated. The server ignores later streams
	// from the decision on, and drops those that HandleRequest already received.
	FaultGoAwayBefore
	// FaultAbort ends the TCP connection and all its streams with a RST.
	FaultAbort
)
