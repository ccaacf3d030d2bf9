package fcm

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"fanfare/internal/redact"
)

// Options say which project to send for, where, and over how many connections.
type Options struct {
	// ProjectID is the Firebase project. Empty: the one that the credentials name.
	ProjectID string
	// Endpoint is a base such as https://host:port/v1, to which /projects/<id>/messages:send is appended. Empty: Google's.
	Endpoint string
	// CredentialsFile is a service account's key file. Empty: Application Default Credentials against Google's endpoint,
	// and none against an Endpoint of one's own.
	CredentialsFile string
	// Credentials are the content of such a file, or its base64. They go before the file.
	Credentials redact.Secret
	// AllowPlaintext sends access tokens over http:// to other machines.
	AllowPlaintext bool
	// RootCAs is a PEM file of authorities that are trusted besides the system's. Empty: the system's alone.
	RootCAs string
	// Timeout bounds one request, from its start to the last byte of its answer. Below 10 s it makes duplicates.
	Timeout time.Duration
	// Concurrency is how many Sends are expected in flight; it bounds the connections, and what is above it may have to wait.
	Concurrency int
	// Streams bounds the requests in flight on one HTTP/2 connection; the server's own limit wins where it is lower.
	Streams int
	// Logger is required.
	Logger *slog.Logger
	// Registerer takes the metrics; nil: none.
	Registerer prometheus.Registerer
}

// DefaultOptions send through Google's endpoint with Application Default Credentials, 500 at a time.
func DefaultOptions() Options {
	return Options{Timeout: 15 * time.Second, Concurrency: 500, Streams: 100}
}

// withDefaults fills what is not said.
func (o Options) withDefaults() Options {
	d := DefaultOptions()
	if o.Timeout == 0 {
		o.Timeout = d.Timeout
	}
	if o.Concurrency == 0 {
		o.Concurrency = d.Concurrency
	}
	if o.Streams == 0 {
		o.Streams = d.Streams
	}
	return o
}

func (o Options) validate() error {
	var errs []error
	if o.Timeout < 0 || o.Concurrency < 0 || o.Streams < 0 {
		errs = append(errs, errors.New("timeout, concurrency and streams must be above zero"))
	}
	if o.Logger == nil {
		errs = append(errs, errors.New("a logger is required"))
	}
	if o.Endpoint != "" {
		if u, err := url.Parse(o.Endpoint); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			errs = append(errs, fmt.Errorf("endpoint %q is no base such as https://host:port/v1", redact.Text(o.Endpoint)))
		}
	}
	errs = append(errs, o.checkPlaintext())
	return errors.Join(errs...)
}

const googleAddress = "fcm.googleapis.com:443"

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

// checkPlaintext refuses to send access tokens where anyone on the way can read them.
func (o Options) checkPlaintext() error {
	if o.AllowPlaintext || !o.hasCredentials() || !isCleartext(o.Endpoint) {
		return nil
	}
	return errors.New("access tokens would go to the endpoint over http://, where anyone on the way can read them; use https://, " +
		"leave the credentials out, or set fcm.allow_plaintext")
}

// carriesCredentials reports whether requests carry an access token.
func (o Options) hasCredentials() bool {
	return o.CredentialsFile != "" || o.Credentials != "" || o.Endpoint == ""
}

// leavesInClear reports whether an address is reached over http:// and beyond this machine.
func isCleartext(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.EqualFold(u.Scheme, "http") && !isLoopback(u.Hostname())
}

func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}
