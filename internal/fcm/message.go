package fcm

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"firebase.google.com/go/v4/messaging"

	"fanfare/internal/notification"
)

// Message is a campaign's message, parsed once and shared by all its recipients.
type Message struct {
	base messaging.Message // without a target; never changed
	// Copies get a tag for Android, and a collapse id for iOS.
	addTag, addCollapseID bool
}

// Envelope says where one copy of a message goes.
type Envelope struct {
	Target notification.Target
	// Campaign and User form the tag and the collapse id of a copy, so that a device shows a
	// repeated message once.
	Campaign, User string
	// TTL, if set, limits how long FCM keeps this copy for an offline device. The message's own TTL
	// applies if it is shorter.
	TTL time.Duration
}

// Parse reads a campaign's message and returns everything that FCM would refuse as
// notification.Faults. It also accepts a whole request, {"message": {…}}. URLs may contain
// placeholders.
func Parse(m notification.Message) (*Message, error) {
	content, err := readMessage(m)
	if err != nil {
		return nil, addSizeFault(content, err)
	}
	return newMessage(content)
}

// addSizeFault adds a fault if the message is also too large.
func addSizeFault(content tree, err error) error {
	faults := notification.FaultsOf(err)
	if text, err := json.Marshal(content); err == nil && len(text) > maxMessage {
		faults = append(faults, sizeFault(len(text)))
	}
	return faults
}

func sizeFault(size int) *notification.Fault {
	return &notification.Fault{Field: root, Problem: fmt.Sprintf("is %d bytes as JSON, over the %d that FCM takes", size, maxMessage)}
}

// ParseFilled reads a message that passed Parse and whose placeholders are filled in. Its error is
// a *notification.Fault only if the message grew over the size limit. Other errors say what a value
// broke.
func ParseFilled(m notification.Message) (*Message, error) {
	content, err := readMessage(m)
	if err != nil {
		return nil, errors.New("fill message: " + err.Error()) // not wrapped: a Fault would count as too large
	}
	return newMessage(content)
}

// Canonical returns the message without the surrounding request and with FCM's own field names.
// Faulty parts stay as they are.
func Canonical(m notification.Message) notification.Message {
	content, _ := readMessage(m) // Parse returns the faults
	if content == nil {
		return m
	}
	text, err := json.Marshal(content)
	if err != nil {
		return m
	}
	return text
}

// newMessage converts a message that passed the schema to the SDK's type.
func newMessage(content tree) (*Message, error) {
	detached := content.detachRaw()
	canonical, err := json.Marshal(content)
	if err != nil {
		return nil, fmt.Errorf("write message: %w", err)
	}
	m := new(Message)
	if err := json.Unmarshal(canonical, &m.base); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	size := len(canonical) + detached.maxSize()
	detached.attach(&m.base)
	if size+maxMarkSize > maxMessage {
		wire, err := json.Marshal(&m.base)
		if err != nil {
			return nil, fmt.Errorf("write message: %w", err)
		}
		if size = len(wire); size > maxMessage {
			return nil, sizeFault(size)
		}
	}
	if size+maxMarkSize <= maxMessage {
		m.addTag, m.addCollapseID = needsTag(&m.base), needsCollapseID(&m.base)
	}
	return m, nil
}

// MaxSize is the limit of a message's JSON in bytes, without its target.
const MaxSize = maxMessage

// Size returns the length of the message's JSON in bytes, without the target, tag and collapse id
// of a copy.
func (m *Message) Size() int {
	wire, err := json.Marshal(&m.base)
	if err != nil {
		return 0 // unreachable: the message came from JSON
	}
	return len(wire)
}
