package fcmsim

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"sync/atomic"
)

type connectionKey struct{}

func withConnection(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, c)
}

// closeConnection ends the TCP connection under a request with a RST, so that the sender cannot take it for an orderly end.
func closeConnection(ctx context.Context) {
	c, _ := ctx.Value(connectionKey{}).(net.Conn)
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
		_ = t.Close()
	}
}

// watch counts the connections of one listener.
func (t *tally) watch(dialed *atomic.Int64) func(net.Conn, http.ConnState) {
	return func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			dialed.Add(1)
			t.open.up()
		case http.StateClosed, http.StateHijacked:
			t.open.down()
		}
	}
}
