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
func newCourier(ctx context.Context, o Options, m *metrics) (*courier, string, error) {
	roots, err := o.roots()
	if err != nil {
		return nil, "", err
	}
	ctx = context.WithoutCancel(ctx) // what starts here lives until Close
	c, project := &courier{timeout: o.Timeout}, o.ProjectID
	if o.carriesCredentials() {
		keys := credentials{inline: o.Credentials, file: o.CredentialsFile, plaintext: o.AllowPlaintext, transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
			DisableKeepAlives: true, // once an hour
		}}
		named, err := keys.projectID(ctx)
		if err != nil {
			return nil, "", err
		}
		if project == "" {
			project = named
		}
		c.bearer = newBearer(ctx, keys, o.Logger)
	}
	c.lines = newLines(ctx, o, roots, m)
	return c, project, nil
}

func newLines(ctx context.Context, o Options, roots *x509.CertPool, m *metrics) lines {
	address, secure := o.address()
	if !secure {
		return newKeepAlive(address, o.Concurrency)
	}
	return newLanes(ctx, address, &tls.Config{RootCAs: roots, ClientSessionCache: tls.NewLRUClientSessionCache(0)}, o, m)
}

func (c *courier) close() {
	c.lines.close()
	if c.bearer != nil {
		c.bearer.close()
	}
}

// base is the endpoint as the SDK appends to it.
func (o Options) base() string { return strings.TrimRight(o.Endpoint, "/") }

// address is where to connect to, host:port, and whether by TLS.
func (o Options) address() (address string, secure bool) {
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
func (o Options) roots() (*x509.CertPool, error) {
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
