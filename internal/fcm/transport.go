package fcm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

// transport carries one request.
type transport interface {
	// post makes the request of x.post and records what came of it. Once any byte of it was
	// written, it is not sent again. The timeout limits the time to the last byte of the answer.
	post(ctx context.Context, timeout time.Duration, x *exchange)
	release()
}

// transports hands out transports to FCM. acquire waits until one is free.
type transports interface {
	acquire(ctx context.Context) (transport, error)
	// connect ensures that there is a connection to FCM. It returns why there cannot be one.
	connect(ctx context.Context) error
	// health returns the error of the last attempt to connect, or nil if there is a connection.
	health() error
	close()
}

func newTransports(ctx context.Context, o Options, roots *x509.CertPool, target *url.URL, m *metrics) transports {
	address, secure := o.dialAddress()
	if !secure {
		return newPlainTransport(address, o.Concurrency)
	}
	return newConnPool(ctx, address, &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(0)}, o, target, m)
}

// plainTransport serves an endpoint without TLS through net/http's own pool. net/http repeats a
// POST only if it wrote no byte of it.
type plainTransport struct {
	*http.Transport
	address string // host:port

	mu      sync.Mutex
	dialErr error // of the last dial
}

func newPlainTransport(address string, concurrency int) *plainTransport {
	p := &plainTransport{address: address}
	p.Transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         p.dial,
		MaxIdleConnsPerHost: concurrency,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,
	}
	return p
}

func (p *plainTransport) acquire(context.Context) (transport, error) { return p, nil }

func (p *plainTransport) post(ctx context.Context, timeout time.Duration, x *exchange) {
	postHTTP(ctx, p, timeout, x)
}

func (*plainTransport) release() {}

func (p *plainTransport) close() { p.CloseIdleConnections() }

// connect opens a connection and closes it, because net/http keeps only connections made for a
// request.
func (p *plainTransport) connect(ctx context.Context) error {
	conn, err := p.NewClientConn(ctx, "http", p.address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", p.address, err)
	}
	return conn.Close()
}

func (p *plainTransport) health() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dialErr
}

// dial records the outcome, unless the caller gave up first.
func (p *plainTransport) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case err == nil:
		p.dialErr = nil
	case ctx.Err() == nil:
		p.dialErr = fmt.Errorf("connect to %s: %w", p.address, err)
	}
	return conn, err
}
