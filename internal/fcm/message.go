package fcm

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"firebase.google.com/go/v4/messaging"

	"fanfare/internal/notification"
)

// Message is a campaign's message, read once and shared by all its recipients.
type Message struct {
	base messaging.Message // without a target; never changed
	// A copy is given a tag for Android, and a collapse id for iOS.
	tag, collapse bool
}

// Envelope says to whom one copy of a message goes.
type Envelope struct {
	Target notification.Target
	// Campaign and User make the tag and the collapse id of a copy, so that a device shows a repeated message once.
	Campaign, User string
	// TTL, when above zero, bounds how long FCM keeps this copy for a device that is offline. The message's own stands where
	// it is shorter.
	TTL time.Duration
}

// Parse reads a campaign's message strictly: whatever FCM would refuse is refused here, as a *FieldError. Placeholders may stand
// where URLs do.
func Parse(m notification.Message) (*Message, error) {
	content, err := readMessage(m)
	if err != nil {
		return nil, err
	}
	return compile(content)
}

// ParseFilled reads a message whose template passed Parse and whose placeholders have been filled. Only a message that has grown
// over the limit is a *FieldError; other errors say what a filled-in value broke.
func ParseFilled(m notification.Message) (*Message, error) {
	content, err := readMessage(m)
	if err != nil {
		return nil, errors.New("fill message: " + err.Error()) // not wrapped: a *FieldError would pass for a message too large
	}
	return compile(content)
}

// compile turns a message that the schema found good into the SDK's.
func compile(content tree) (*Message, error) {
	detached := content.detach()
	canonical, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	m := new(Message)
	if err := json.Unmarshal(canonical, &m.base); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	size := len(canonical) + detached.sizeAtMost()
	detached.attach(&m.base)
	if size+markRoom > maxMessage {
		wire, err := json.Marshal(&m.base)
		if err != nil {
			return nil, fmt.Errorf("write message: %w", err)
		}
		if size = len(wire); size > maxMessage {
			return nil, &FieldError{"message", fmt.Sprintf("is %d bytes as JSON, over the %d that FCM takes", size, maxMessage)}
		}
	}
	if size+markRoom <= maxMessage {
		m.tag, m.collapse = wantsTag(&m.base), wantsCollapseID(&m.base)
	}
	return m, nil
}
