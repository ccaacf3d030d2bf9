package fcmsim

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"fanfare/fcmsim/internal/h2"
)

// Limits on what a peer can hold open. They protect a machine that others use, too.
const (
	maxHeader     = 8 << 10
	maxConns      = 10_000 // to an FCM endpoint
	maxAdminConns = 64
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 5 * time.Minute
)

// limitedListener closes connections beyond a maximum.
type limitedListener struct {
	net.Listener
	maxOpen int64
	open    *atomic.Int64
}

func newLimitedListener(l net.Listener, most int64) limitedListener {
	return limitedListener{l, most, new(atomic.Int64)}
}

func (l limitedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.maxOpen {
			return h2.NewLink(c, func() { l.open.Add(-1) }), nil
		}
		l.open.Add(-1)
		_ = c.Close()
	}
}

// countingListener counts its connections, and lets a fault abort them.
type countingListener struct {
	limitedListener
	counters *counters
	dialed   *atomic.Int64
}

func newCountingListener(l net.Listener, t *counters, dialed *atomic.Int64) countingListener {
	return countingListener{newLimitedListener(l, maxConns), t, dialed}
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.limitedListener.Accept()
	if err != nil {
		return nil, err
	}
	l.dialed.Add(1)
	l.counters.open.increase()
	linkOf(c).OnClose(l.counters.open.decrease)
	return c, nil
}

// linkOf returns the link below a connection that a countingListener accepted.
func linkOf(c net.Conn) *h2.Link {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	link, _ := c.(*h2.Link)
	return link
}

type connectionKey struct{}

func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// abortConnection sends a TCP RST for a request that net/http serves.
func abortConnection(ctx context.Context) {
	c, _ := ctx.Value(connectionKey{}).(net.Conn)
	if link := linkOf(c); link != nil {
		link.Abort()
	}
}

// plainHandler serves HTTP/1.1 and HTTP/2 with prior knowledge on one listener without TLS.
// net/http parses the start of the HTTP/2 preface as a request.
type plainHandler struct {
	frontend
	http2 *h2.Server
}

const preface = "PRI * HTTP/2.0\r\n\r\n"

func (c plainHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "PRI" || r.RequestURI != "*" || r.ProtoMajor != 2 {
		c.frontend.ServeHTTP(w, r)
		return
	}
	conn, ahead, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the connection is closing already
	}
	read := make([]byte, ahead.Reader.Buffered())
	_, _ = io.ReadFull(ahead, read) // from memory
	c.http2.Serve(rereadConn{conn, io.MultiReader(strings.NewReader(preface), bytes.NewReader(read), conn)}, linkOf(conn))
}

// rereadConn is a connection whose first bytes were read and are read again.
type rereadConn struct {
	net.Conn
	from io.Reader
}

func (r rereadConn) Read(p []byte) (int, error) { return r.from.Read(p) }
