package fcm

import (
	"context"
	"encoding/json"
)

// MaxSize is how many bytes a message's JSON may have, without its target.
const MaxSize = maxMessage

// Validate is Send with validate_only: FCM judges the copy and delivers nothing. It counts against the quota as any other request
// does. A Sent carries a message id that names nothing.
func (s *Sender) Validate(ctx context.Context, m *Message, e Envelope) Answer {
	return s.send(ctx, m, e, s.client.SendDryRun)
}

// Size is the message's JSON in bytes, without its target and without the marks that a copy is given where they fit.
func (m *Message) Size() int {
	wire, err := json.Marshal(&m.base)
	if err != nil {
		return 0 // it was read from JSON
	}
	return len(wire)
}
