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

// The bounds of what a peer can hold: a simulator without them is no safe guest on a shared machine.
const (
	maxHeader     = 8 << 10
	maxConns      = 10_000 // to an FCM endpoint
	maxAdminConns = 64
	headerTimeout = 10 * time.Second
	bodyTimeout   = 30 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 5 * time.Minute
)

// limited is a listener that hangs up on connections beyond a number.
type limited struct {
	net.Listener
	most int64
	open *atomic.Int64
}

func newLimited(l net.Listener, most int64) limited { return limited{l, most, new(atomic.Int64)} }

func (l limited) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.most {
			return h2.NewLink(c, func() { l.open.Add(-1) }), nil
		}
		l.open.Add(-1)
		_ = c.Close()
	}
}

// counting is a listener whose connections are counted, and can be cut.
type counting struct {
	limited
	tally  *tally
	dialed *atomic.Int64
}

func newCounting(l net.Listener, t *tally, dialed *atomic.Int64) counting {
	return counting{newLimited(l, maxConns), t, dialed}
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.limited.Accept()
	if err != nil {
		return nil, err
	}
	l.dialed.Add(1)
	l.tally.open.up()
	linkOf(c).OnClose(l.tally.open.down)
	return c, nil
}

// linkOf gives the link of a connection that a counting listener accepted.
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

// cut ends the connection under a request that net/http serves.
func cut(ctx context.Context) {
	c, _ := ctx.Value(connectionKey{}).(net.Conn)
	if link := linkOf(c); link != nil {
		link.Cut()
	}
}

// cleartext speaks HTTP/1.1 and HTTP/2 with prior knowledge on one listener without TLS: net/http takes the beginning of
// the latter's preface for a request.
type cleartext struct {
	front
	http2 *h2.Server
}

const preface = "PRI * HTTP/2.0\r\n\r\n"

func (c cleartext) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != "PRI" || r.RequestURI != "*" || r.ProtoMajor != 2 {
		c.front.ServeHTTP(w, r)
		return
	}
	conn, ahead, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // it can be under way to its end only
	}
	read := make([]byte, ahead.Reader.Buffered())
	_, _ = io.ReadFull(ahead, read) // from memory
	c.http2.Serve(reread{conn, io.MultiReader(strings.NewReader(preface), bytes.NewReader(read), conn)}, linkOf(conn))
}

// reread is a connection of which a part that was read is read again.
type reread struct {
	net.Conn
	from io.Reader
}

func (r reread) Read(p []byte) (int, error) { return r.from.Read(p) }
