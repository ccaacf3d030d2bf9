package fcmsim

import (
	"context"
	"crypto/tls"
	"net"
	"sync/atomic"

	"fanfare/internal/fcmsim/h2"
)

// counting is a listener whose connections are counted, and can be cut.
type counting struct {
	net.Listener
	tally  *tally
	dialed *atomic.Int64
}

func (l counting) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.dialed.Add(1)
	l.tally.open.up()
	return h2.NewLink(c, l.tally.open.down), nil
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
