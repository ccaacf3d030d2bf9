package fcm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// line carries one request. RoundTrip never sends a request twice once anything of it was written.
type transport interface {
	http.RoundTripper
	release()
}

// lines hands out lines; acquire waits for a free one.
type transports interface {
	acquire(ctx context.Context) (transport, error)
	// reach sees to it that FCM is connected to, or tells why it cannot be.
	connect(ctx context.Context) error
	// trouble is why there was no connection to be had when one was last asked for; nil where there is one.
	health() error
	close()
}

func newTransports(ctx context.Context, o Options, roots *x509.CertPool, m *metrics) transports {
	address, secure := o.dialAddress()
	if !secure {
		return newPlainTransport(address, o.Concurrency)
	}
	return newConnPool(ctx, address, &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(0)}, o, m)
}

// keepAlive is the one line of an endpoint without TLS: net/http's own pool. It repeats a POST only when not a byte of it was written.
type plainTransport struct {
	*http.Transport
	address string // host:port

	mu      sync.Mutex
	dialErr error // of the last dial
}

func newPlainTransport(address string, concurrency int) *plainTransport {
	k := &plainTransport{address: address}
	k.Transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         k.dial,
		MaxIdleConnsPerHost: concurrency,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,
	}
	return k
}

func (k *plainTransport) acquire(context.Context) (transport, error) { return k, nil }

func (*plainTransport) release() {}

func (k *plainTransport) close() { k.CloseIdleConnections() }

// reach makes a connection and lets it go: net/http keeps none that it did not make for a request.
func (k *plainTransport) connect(ctx context.Context) error {
	conn, err := k.NewClientConn(ctx, "http", k.address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", k.address, err)
	}
	return conn.Close()
}

func (k *plainTransport) health() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.dialErr
}

// dial notes how it went, unless whoever asked for the connection went away.
func (k *plainTransport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err == nil:
		k.dialErr = nil
	case ctx.Err() == nil:
		k.dialErr = fmt.Errorf("connect to %s: %w", k.address, err)
	}
	return conn, err
}
