package fcm

import (
	"errors"
	"time"

	"firebase.google.com/go/v4/messaging"

	"fanfare/internal/notification"
)

// Message is a campaign's message, read once and shared by all its recipients.
type Message struct {
	base messaging.Message
}

// Envelope says to whom one copy of a message goes.
type Envelope struct {
	Target notification.Target
	// Campaign and User make the tag and the collapse id of a copy, so that a device shows a repeated message once.
	Campaign, User string
	// TTL, when above zero, is how long FCM keeps this copy for a device that is offline, instead of the message's own.
	TTL time.Duration
}

// Parse reads a campaign's message strictly: whatever FCM would refuse is refused here, as a *FieldError.
func Parse(m notification.Message) (*Message, error) { return nil, errors.New("not built") }

// ParseFilled reads a message whose template passed Parse and whose placeholders have been filled: of what may
// have changed, only the size is checked. Over the limit it is a *FieldError.
func ParseFilled(m notification.Message) (*Message, error) { return nil, errors.New("not built") }
