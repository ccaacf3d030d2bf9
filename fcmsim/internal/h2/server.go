// Package h2 is an HTTP/2 server for small requests with small answers and many faults. The one goroutine of a
// connection reads, asks the handler and writes what it answers at once; a timer writes what is answered later. All
// answers to what one read brought in leave in one write. No goroutine is started for a request.
//
// It is lenient where Google's front end is: pseudo-headers that it has no use for may hold anything.
package h2

import (
	"log/slog"
	"net"
	"sync"
	"time"

	"golang.org/x/net/http2"
)

// Options of a Server.
type Options struct {
	// Streams that a connection may have at once. Default 100, what FCM allows.
	Streams int
	// MaxBody of a request in bytes. Default 1 MiB.
	MaxBody int
	// MaxHeader of a request in bytes, as HTTP/2 counts them. Default 64 KiB.
	MaxHeader int
	// Preface bounds the time until the client has begun to speak HTTP/2, Write that of a peer that does not read. Idle is how long a
	// connection may stand without a request under way. Default none.
	Preface, Write, Idle time.Duration
	// Logger hears of connections that break the protocol. Default none.
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

// Server serves connections that others have accepted.
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

// farewell is how long a peer that does not read can delay Close.
const goAwayTimeout = 100 * time.Millisecond

// Close tells all peers by GOAWAY which streams came in, ends all connections at once and waits for their goroutines.
// Repeating it is harmless.
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

// Handler decides on requests. It is called by the goroutines of all connections, and should not block: the other
// streams of the connection would wait for it.
type Handler interface {
	// Head sees a request when its headers are in. With true, the reply stands, and the body is not looked at.
	HandleHeaders(*Request) (Reply, bool)
	// Answer sees a request whole.
	HandleRequest(*Request) Reply
	// Done is called once for each request that Head has seen; left says that its sender, or the connection, went before
	// the reply was out.
	Finish(r *Request, left bool)
}

// Request is what a handler needs of a request.
type Request struct {
	Method        string
	Path          string // decoded, without the query
	Authorization string
	Body          []byte // only until Answer returns
	TooLarge      bool   // the body is longer than MaxBody, and left out
}

// Field of a header; its name is in lower case.
type Field struct{ Name, Value string }

// Reply is what becomes of a request at the wire.
type Reply struct {
	Fault  Fault
	Delay  time.Duration // from the decision to the fate; what Trickle takes in all
	Status int
	Header []Field // besides content-length
	Body   []byte  // not to be changed from now on
}

// Fate is a way in which a request ends.
type Fault uint8

// The fates. Answer, Trickle, Truncate and Retire use the reply's status, header and body.
const (
	// Answer in full.
	FaultNone Fault = iota
	// Trickle sends the headers at once and the body in pieces, the last one after the delay.
	FaultTrickle
	// Truncate promises the whole body by content-length, sends half of it and resets the stream with INTERNAL_ERROR.
	FaultTruncate
	// Hang never answers.
	FaultHang
	// Reset the stream with INTERNAL_ERROR.
	FaultReset
	// Refuse the stream with REFUSED_STREAM: it was not processed, and may be repeated.
	FaultRefuse
	// Retire answers in full and sends GOAWAY with the highest stream that came in: all those are still answered, and
	// the connection ends after them.
	FaultGoAwayAfter
	// TurnAway sends GOAWAY with the stream below this one: those up to it are still answered, this one and all after it
	// are not processed, and may be repeated. Nothing after it is looked at from the decision on. It is meant for Head;
	// given by Answer, streams above this one that came in already are dropped, too.
	FaultGoAwayBefore
	// Cut ends the TCP connection with a RST, and with it all streams that share it.
	FaultAbort
)
