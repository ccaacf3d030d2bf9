package fcm

import (
	"context"
	"net/http"
)

// keepAlive is the one line of an endpoint without TLS: net/http's own pool. It repeats a POST only when not a byte of it was written.
type keepAlive struct{ *http.Transport }

func newKeepAlive(concurrency int) keepAlive {
	return keepAlive{&http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConnsPerHost: concurrency,
		IdleConnTimeout:     idleTimeout,
		DisableCompression:  true,
	}}
}

func (k keepAlive) acquire(context.Context) (line, error) { return k, nil }
func (keepAlive) release()                                {}
func (k keepAlive) close()                                { k.CloseIdleConnections() }
