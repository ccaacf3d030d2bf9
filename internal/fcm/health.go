package fcm

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"

	"fanfare/internal/periodic"
)

// Check fetches an access token and connects to FCM, as the first message would. The connection
// stays open for the next Send. Waiting does not fix a *CredentialsError, nor an error for which
// IsUntrusted is true.
func (s *Sender) Check(ctx context.Context) error { return s.transport.connect(ctx) }

// Authorize fetches an access token; without credentials it does nothing. A *CredentialsError means
// that the credentials are refused or unreadable. Any other error means that the token endpoint is
// unreachable now.
func (s *Sender) Authorize(ctx context.Context) error { return s.transport.authorize(ctx) }

// Health returns why nothing can be sent at present: no access token, or no connection. It makes no
// request and reports the last known state, so nil is no promise.
func (s *Sender) Health() error { return s.transport.health() }

// IsUntrusted reports whether an unknown authority signed the certificate, or the certificate names
// another host. Then the address or the configured authorities are wrong. An expired certificate is
// not included: its owner has to renew it.
func IsUntrusted(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return authority || host
}

// ProbeEndpoint connects to the endpoint of the options without credentials, and disconnects.
func ProbeEndpoint(ctx context.Context, o Options) error {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return fmt.Errorf("check FCM options: %w", err)
	}
	roots, err := o.loadRoots()
	if err != nil {
		return err
	}
	m, err := newMetrics(nil)
	if err != nil {
		return fmt.Errorf("make metrics: %w", err)
	}
	target, err := o.sendURL("none")
	if err != nil {
		return err
	}
	transports := newTransports(ctx, o, roots, target, m)
	defer transports.close()
	return transports.connect(ctx)
}

// healthProbeInterval is how often an unhealthy transport is probed. Sends try again much sooner.
const healthProbeInterval = 30 * time.Second

// healthProber keeps Health up to date while no one sends. Without it, an old error would stay
// after the cause is gone.
type healthProber struct {
	transport  *singleSendTransport
	cancel     context.CancelFunc
	background sync.WaitGroup
}

func newHealthProber(ctx context.Context, c *singleSendTransport) *healthProber {
	h := &healthProber{transport: c}
	ctx, h.cancel = context.WithCancel(context.WithoutCancel(ctx))
	h.background.Go(func() { h.run(ctx) })
	return h
}

func (h *healthProber) run(ctx context.Context) {
	periodic.Run(ctx, healthProbeInterval, h.probeOnce)
}

// probeOnce is one tick. The access tokens and the connection pool log their own failures.
func (h *healthProber) probeOnce(ctx context.Context) {
	if h.transport.health() != nil {
		_ = h.transport.connect(ctx)
	}
}

func (h *healthProber) close() {
	h.cancel()
	h.background.Wait()
}
