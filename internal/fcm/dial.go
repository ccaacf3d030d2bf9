package fcm

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"golang.org/x/net/http/httpproxy"

	"fanfare/internal/h2client"
)

// connection carries requests to FCM over TLS.
type connection interface {
	// Available returns how many more requests it takes now.
	Available() int
	// StreamLimit returns how many requests it carries at once. The server may change that.
	StreamLimit() int
	// IsEnding reports whether it takes no more requests for good. It is asked only of a connection
	// without requests.
	IsEnding() bool
	// Err returns why it has ended, or nil.
	Err() error
	Close() error
	post(ctx context.Context, timeout time.Duration, x *exchange)
}

// dialer makes one connection.
type dialer func(ctx context.Context) (connection, error)

// newDialer returns what makes the connections to an address. onChange is called when one may take
// more or fewer requests than before. Our own speak HTTP/2 alone, and cost
// a fraction of net/http's (BenchmarkDispatcherAgainstBareLoop). net/http makes those for the SDK,
// through a proxy, and to a server without HTTP/2.
func newDialer(address string, config *tls.Config, o Options, target *url.URL, onChange func()) dialer {
	byHTTP := newHTTPDialer(address, config)
	if !usesOwnConns(o, address) {
		return byHTTP
	}
	config = config.Clone()
	config.NextProtos = []string{"h2", "http/1.1"}
	config.DynamicRecordSizingDisabled = true // a write is one record
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	fields := postFields(target)
	return func(ctx context.Context) (connection, error) {
		nc, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
		if err != nil {
			return nil, err
		}
		if nc.(*tls.Conn).ConnectionState().NegotiatedProtocol != "h2" {
			_ = nc.Close()
			return byHTTP(ctx)
		}
		conn, err := h2client.New(ctx, nc, h2client.Options{
			Header: fields, MaxStreams: o.Streams, MaxBody: maxAnswer, PingInterval: pingInterval, PingTimeout: pingTimeout, IdleTimeout: idleTimeout,
			OnChange: onChange,
		})
		if err != nil {
			return nil, err
		}
		return frameConn{conn}, nil
	}
}

// usesOwnConns reports whether connections are our own if the server speaks HTTP/2. They are not
// for the SDK, nor if the environment wants a proxy for the address.
func usesOwnConns(o Options, address string) bool {
	proxy, err := httpproxy.FromEnvironment().ProxyFunc()(&url.URL{Scheme: "https", Host: address})
	return o.Client != ClientSDK && proxy == nil && err == nil
}

// frameConn is a connection of our own.
type frameConn struct{ *h2client.Conn }

func (c frameConn) post(ctx context.Context, timeout time.Duration, x *exchange) {
	postFrames(ctx, c.Conn, timeout, x)
}

// httpConn is a connection of net/http.
type httpConn struct {
	*http.ClientConn
	limit int // when it was new; net/http does not say more
}

func (c httpConn) StreamLimit() int { return c.limit }

func (c httpConn) IsEnding() bool { return c.Available() == 0 }

func (c httpConn) post(ctx context.Context, timeout time.Duration, x *exchange) {
	postHTTP(ctx, c, timeout, x)
}

// newHTTPDialer returns what makes connections of net/http.
func newHTTPDialer(address string, config *tls.Config) dialer {
	t := &http.Transport{
		Proxy:              http.ProxyFromEnvironment,
		TLSClientConfig:    config,
		ForceAttemptHTTP2:  true,
		IdleConnTimeout:    idleTimeout,
		DisableCompression: true,
		HTTP2:              &http.HTTP2Config{SendPingTimeout: pingInterval, PingTimeout: pingTimeout},
	}
	return func(ctx context.Context) (connection, error) {
		conn, err := t.NewClientConn(ctx, "https", address)
		if err != nil {
			return nil, err
		}
		return httpConn{conn, conn.Available()}, nil
	}
}
