package fcm

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
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

func (c *singleSendTransport) connect(ctx context.Context) error {
	if err := c.authorize(ctx); err != nil {
		return err
	}
	return c.transports.connect(ctx)
}

func (c *singleSendTransport) authorize(ctx context.Context) error {
	if c.tokens == nil {
		return nil
	}
	_, err := c.tokens.get(ctx)
	return err
}

func (c *singleSendTransport) health() error {
	if c.tokens != nil {
		if err := c.tokens.health(); err != nil {
			return err
		}
	}
	return c.transports.health()
}
