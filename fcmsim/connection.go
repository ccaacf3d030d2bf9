package fcmsim

import (
	"context"
	"crypto/tls"
	"net"
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
