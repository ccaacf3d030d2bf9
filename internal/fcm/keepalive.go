package fcm

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// keepAlive is the one line of an endpoint without TLS: net/http's own pool. It repeats a POST only when not a byte of it was written.
type keepAlive struct {
	*http.Transport
	address string // host:port

	mu      sync.Mutex
	lastErr error // of the last dial
}

func newKeepAlive(address string, concurrency int) *keepAlive {
	k := &keepAlive{address: address}
	k.Transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         k.dial,
		MaxIdleConnsPerHost: concurrency,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,
	}
	return k
}

func (k *keepAlive) acquire(context.Context) (line, error) { return k, nil }
func (*keepAlive) release()                                {}
func (k *keepAlive) close()                                { k.CloseIdleConnections() }

// reach makes a connection and lets it go: net/http keeps none that it did not make for a request.
func (k *keepAlive) reach(ctx context.Context) error {
	conn, err := k.NewClientConn(ctx, "http", k.address)
	if err != nil {
		return fmt.Errorf("connect to %s: %w", k.address, err)
	}
	return conn.Close()
}

func (k *keepAlive) trouble() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.lastErr
}

// dial notes how it went, unless whoever asked for the connection went away.
func (k *keepAlive) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, network, address)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err == nil:
		k.lastErr = nil
	case ctx.Err() == nil:
		k.lastErr = fmt.Errorf("connect to %s: %w", k.address, err)
	}
	return conn, err
}
