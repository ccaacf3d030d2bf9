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
	if !s.enter(conn) {
		_ = c.Close()
		return
	}
	defer s.leave(conn)
	conn.serve()
}

func (s *Server) enter(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[c] = struct{}{}
	s.serving.Add(1)
	return true
}

func (s *Server) leave(c *conn) {
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	s.serving.Done()
}

// farewell is how long a peer that does not read can delay Close.
const farewell = 100 * time.Millisecond

// Close tells all peers by GOAWAY which streams came in, ends all connections at once and waits for their goroutines.
// Repeating it is harmless.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	var farewells sync.WaitGroup
	for c := range s.open {
		farewells.Go(func() { c.sayGoodbye(http2.ErrCodeNo) })
	}
	s.mu.Unlock()
	farewells.Wait()
	s.serving.Wait()
}
