package fcm

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
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
