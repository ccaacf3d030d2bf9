package fcm

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

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
func (*plainTransport) release()                                     {}
func (k *plainTransport) close()                                     { k.CloseIdleConnections() }

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
