package fcm

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

const googleAddress = "fcm.googleapis.com:443"

// newCourier makes all that is below the SDK, and finds the project.
func newSingleSendTransport(ctx context.Context, o Options, m *metrics) (*singleSendTransport, string, error) {
	roots, err := o.loadRoots()
	if err != nil {
		return nil, "", err
	}
	ctx = context.WithoutCancel(ctx) // what starts here lives until Close
	c, project := &singleSendTransport{timeout: o.Timeout}, o.ProjectID
	if o.hasCredentials() {
		keys := credentials{inline: o.Credentials, file: o.CredentialsFile, plaintext: o.AllowPlaintext, transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
			DisableKeepAlives: true, // once an hour
		}}
		named, err := keys.readProjectID(ctx)
		if err != nil {
			return nil, "", err
		}
		if project == "" {
			project = named
		}
		c.tokens = newAccessTokens(ctx, keys, o.Logger)
	}
	c.transports = newTransports(ctx, o, roots, m)
	return c, project, nil
}

func newTransports(ctx context.Context, o Options, roots *x509.CertPool, m *metrics) transports {
	address, secure := o.dialAddress()
	if !secure {
		return newPlainTransport(address, o.Concurrency)
	}
	return newConnPool(ctx, address, &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(0)}, o, m)
}

func (c *singleSendTransport) close() {
	c.transports.close()
	if c.tokens != nil {
		c.tokens.close()
	}
}

// base is the endpoint as the SDK appends to it.
func (o Options) baseURL() string { return strings.TrimRight(o.Endpoint, "/") }

// address is where to connect to, host:port, and whether by TLS.
func (o Options) dialAddress() (address string, secure bool) {
	if o.Endpoint == "" {
		return googleAddress, true
	}
	u, _ := url.Parse(o.Endpoint) // validated
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port), u.Scheme == "https"
}

// roots are the authorities to trust; nil is the system's.
func (o Options) loadRoots() (*x509.CertPool, error) {
	if o.RootCAs == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(o.RootCAs)
	if err != nil {
		return nil, fmt.Errorf("read root CAs: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("read root CAs: no PEM certificate in %s", o.RootCAs)
	}
	return pool, nil
}
