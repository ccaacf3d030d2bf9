package fcmsim_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"fanfare/fcmsim"
)

func isA[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// A client finds the fault, and connects again once it is fixed.
func TestHandshakeFaults(t *testing.T) {
	tests := map[fcmsim.HandshakeFault]func(error) bool{
		fcmsim.HandshakeExpired: func(err error) bool {
			invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
			return ok && invalid.Reason == x509.Expired
		},
		fcmsim.HandshakeWrongHost: isA[x509.HostnameError],
		fcmsim.HandshakeUntrusted: isA[x509.UnknownAuthorityError],
		fcmsim.HandshakeRefused: func(err error) bool {
			operation, ok := errors.AsType[*net.OpError](err)
			return ok && operation.Op == "remote error" // an alert
		},
		fcmsim.HandshakeStalled: func(err error) bool { return errors.Is(err, context.DeadlineExceeded) },
	}
	r := newRig(t, fcmsim.Options{})
	if len(tests) != len(fcmsim.HandshakeFaults()) {
		t.Errorf("faults %q", fcmsim.HandshakeFaults())
	}
	for fault, found := range tests {
		t.Run(string(fault), func(t *testing.T) {
			r.set(t, fcmsim.Rules{Handshake: fault})
			client := newClient(t, r.srv.CAFile)
			if err := get(t, client, r.srv.URLs.TLS, 200*time.Millisecond); !found(err) {
				t.Errorf("ended by %v", err)
			}
			r.set(t, fcmsim.Rules{})
			if err := get(t, client, r.srv.URLs.TLS, 10*time.Second); err != nil {
				t.Errorf("once it is mended: %v", err)
			}
		})
	}
	if c := r.Counts(); c.Connections.TLS != int64(2*len(tests)) {
		t.Errorf("counts %+v", c)
	}
}

// get reports whether there is a response, whatever it is.
func get(t *testing.T, client *http.Client, url string, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client.Do(req)
	if err == nil {
		readReply(t, res)
	}
	return err
}

func (r *rig) set(t *testing.T, rules fcmsim.Rules) {
	t.Helper()
	if err := r.SetRules(rules); err != nil {
		t.Fatal(err)
	}
}

func TestHandshakeFaultsKeepOpenConnections(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	name(t, r.post(t, toToken("t")))
	r.set(t, fcmsim.Rules{Handshake: fcmsim.HandshakeExpired})
	name(t, r.post(t, toToken("t")))
}

// A resumed session does not save a client from verifying the certificate.
func TestHandshakeFaultsApplyToResumedSessions(t *testing.T) {
	r := newRig(t, fcmsim.Options{})
	client := newClient(t, r.srv.CAFile)
	transport := client.Transport.(*http.Transport)
	transport.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(1)
	if err := get(t, client, r.srv.URLs.TLS, 10*time.Second); err != nil {
		t.Fatal(err)
	}
	transport.CloseIdleConnections()
	r.set(t, fcmsim.Rules{Handshake: fcmsim.HandshakeUntrusted})
	if err := get(t, client, r.srv.URLs.TLS, 10*time.Second); !isA[x509.UnknownAuthorityError](err) {
		t.Errorf("ended by %v", err)
	}
}

func TestCloseEndsStalledHandshakes(t *testing.T) {
	r := newRig(t, fcmsim.Options{Rules: fcmsim.Rules{Handshake: fcmsim.HandshakeStalled}})
	failed := make(chan error, 1)
	go func() { failed <- get(t, r.client, r.srv.URLs.TLS, 10*time.Second) }()
	r.waitFor(t, "the connection", func(c fcmsim.Counts) bool { return c.Connections.Open == 1 })
	if err := r.srv.Close(); err != nil {
		t.Error(err)
	}
	if err := <-failed; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("ended by %v", err)
	}
	if c := r.Counts(); c.Connections.Open != 0 {
		t.Errorf("counts %+v", c)
	}
}
