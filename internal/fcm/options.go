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

	"fanfare/internal/loopback"
	"fanfare/internal/redact"
)

// Options say which project to send for, where, and over how many connections.
type Options struct {
	// ProjectID is the Firebase project. Default: the one named in the credentials.
	ProjectID string
	// Endpoint is a base URL such as https://host:port/v1, which is followed by
	// /projects/<id>/messages:send. Default: Google's.
	Endpoint string
	// CredentialsFile is a service account's key file. Default: Application Default Credentials for
	// Google's endpoint, and none for another Endpoint.
	CredentialsFile string
	// Credentials are the content of such a file, or its base64. They take precedence over the
	// file.
	Credentials redact.Secret
	// AllowPlaintext permits sending access tokens over http:// to other machines.
	AllowPlaintext bool
	// RootCAs is a PEM file of authorities to trust in addition to the system's.
	RootCAs string
	// Timeout limits one request, from its start to the last byte of its answer. Less than 10 s
	// causes duplicates.
	Timeout time.Duration
	// Concurrency is the expected number of Sends in flight. It limits the connections, so more
	// Sends may have to wait.
	Concurrency int
	// Streams limits the requests in flight on one HTTP/2 connection. The server's own limit
	// applies if it is lower.
	Streams int
	// Client is ClientOwn (the default) or ClientSDK.
	Client string
	// Logger is required.
	Logger *slog.Logger
	// Registerer receives the metrics; nil leaves them unregistered.
	Registerer prometheus.Registerer
}

// DefaultOptions send to Google's endpoint with Application Default Credentials, 500 at a time.
func DefaultOptions() Options {
	return Options{Client: ClientOwn, Timeout: 15 * time.Second, Concurrency: 500, Streams: 100}
}

// withDefaults fills in unset fields.
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
	if o.Client == "" {
		o.Client = d.Client
	}
	return o
}

func (o Options) validate() error {
	var errs []error
	if o.Timeout < 0 || o.Concurrency < 0 || o.Streams < 0 {
		errs = append(errs, errors.New("timeout, concurrency and streams must be above zero"))
	}
	if o.Logger == nil {
		errs = append(errs, errors.New("logger is required"))
	}
	if o.Client != ClientOwn && o.Client != ClientSDK {
		errs = append(errs, fmt.Errorf("client is %q, want %s or %s", o.Client, ClientOwn, ClientSDK))
	}
	if o.Endpoint != "" {
		if u, err := url.Parse(o.Endpoint); err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" {
			errs = append(errs, fmt.Errorf("endpoint %q is not a base URL such as https://host:port/v1", redact.Text(o.Endpoint)))
		}
	}
	errs = append(errs, o.checkPlaintext())
	return errors.Join(errs...)
}

const googleAddress = "fcm.googleapis.com:443"

// baseURL returns the endpoint in the form that the SDK appends to.
func (o Options) baseURL() string { return strings.TrimRight(o.Endpoint, "/") }

// dialAddress returns the host:port to connect to, and whether to use TLS.
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

// loadRoots returns the authorities to trust; nil means the system's.
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

// checkPlaintext refuses to send access tokens where others on the network can read them.
func (o Options) checkPlaintext() error {
	if o.AllowPlaintext || !o.hasCredentials() || !isCleartext(o.Endpoint) {
		return nil
	}
	return errors.New("access tokens would go to the endpoint over http://, where others on the network can read them; use https://, " +
		"leave the credentials out, or set fcm.allow_plaintext")
}

// hasCredentials reports whether requests carry an access token.
func (o Options) hasCredentials() bool {
	return o.CredentialsFile != "" || o.Credentials != "" || o.Endpoint == ""
}

// isCleartext reports whether an address is reached over http:// beyond this machine.
func isCleartext(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.EqualFold(u.Scheme, "http") && !loopback.IsHost(u.Hostname())
}
