// Package fcm sends messages through Firebase Cloud Messaging: it reads and checks a campaign's message, sends one copy of it with
// exactly one request on the wire, and classifies what came of it by FCM's rules.
package fcm

import (
	"context"
	"errors"
	"fmt"
)

// Sender sends for one project. It is safe for concurrent use.
type Sender struct {
	opts Options
}

// New checks the options and finds the credentials. It does not reach out to the network; Check does.
func New(ctx context.Context, o Options) (*Sender, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("fcm options: %w", err)
	}
	return nil, errors.New("not built")
}

// Close drops the connections. Sends that are under way are cut off.
func (s *Sender) Close() error { return nil }

// Check fetches an access token. It fails with a *CredentialsError when the credentials are refused or cannot be read,
// and with another error when the token endpoint cannot be reached now.
func (s *Sender) Check(ctx context.Context) error { return nil }

// Send makes one request for one recipient and classifies what came of it. It never repeats it.
func (s *Sender) Send(ctx context.Context, m *Message, e Envelope) Answer { return Answer{} }
