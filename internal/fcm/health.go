package fcm

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Check does all that goes before a first message: it authorizes, and connects. The connection stays for what is sent next. Of its
// errors no waiting mends a *CredentialsError, and those that Untrusted tells.
func (s *Sender) Check(ctx context.Context) error { return s.transport.connect(ctx) }

// Authorize fetches an access token. It fails with a *CredentialsError when the credentials are refused or cannot be read, and with
// another error when the token endpoint cannot be reached now. Without credentials there is nothing to fetch.
func (s *Sender) Authorize(ctx context.Context) error { return s.transport.authorize(ctx) }

// Trouble is why nothing can be sent at present: no access token is to be had, or no connection. It asks nobody: it is what was last
// found out, and nil is no promise.
func (s *Sender) Health() error { return s.transport.health() }

// Untrusted holds when a certificate is signed by an authority that is not trusted, or made out to another host: the address or the
// authorities are the wrong ones. One that has run out is its owner's to renew.
func IsUntrusted(err error) bool {
	_, authority := errors.AsType[x509.UnknownAuthorityError](err)
	_, host := errors.AsType[x509.HostnameError](err)
	return authority || host
}

// Reach connects to where the options send to, as a Sender does but without credentials, and hangs up.
func ProbeEndpoint(ctx context.Context, o Options) error {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return fmt.Errorf("fcm options: %w", err)
	}
	roots, err := o.loadRoots()
	if err != nil {
		return err
	}
	m, err := newMetrics(nil)
	if err != nil {
		return fmt.Errorf("make metrics: %w", err)
	}
	transports := newTransports(ctx, o, roots, m)
	defer transports.close()
	return transports.connect(ctx)
}

// lookEvery is how often what is in trouble is tried again by itself. Whoever sends tries it much sooner.
const healthProbeInterval = 30 * time.Second

// lookout keeps Trouble from telling of what was mended long ago, when nobody has sent since.
type healthProber struct {
	transport  *singleSendTransport
	cancel     context.CancelFunc
	background sync.WaitGroup
}

func newHealthProber(ctx context.Context, c *singleSendTransport) *healthProber {
	l := &healthProber{transport: c}
	ctx, l.cancel = context.WithCancel(context.WithoutCancel(ctx))
	l.background.Go(func() { l.run(ctx) })
	return l
}

func (l *healthProber) run(ctx context.Context) {
	tick := time.NewTicker(healthProbeInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			l.probeOnce(ctx)
		}
	}
}

// look is one tick. What fails is logged by the bearer or by the lanes.
func (l *healthProber) probeOnce(ctx context.Context) {
	if l.transport.health() != nil {
		_ = l.transport.connect(ctx)
	}
}

func (l *healthProber) close() {
	l.cancel()
	l.background.Wait()
}
