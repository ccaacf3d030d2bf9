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
	addTag, addCollapseID bool
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

// Parse reads a campaign's message strictly: whatever FCM would refuse is refused here, as notification.Faults. A whole
// request, {"message": {…}}, is taken for the message in it. Placeholders may stand where URLs do.
func Parse(m notification.Message) (*Message, error) {
	content, err := readMessage(m)
	if err != nil {
		return nil, addSizeFault(content, err)
	}
	return newMessage(content)
}

// withSize adds to a message's faults that it is too large as well.
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

// ParseFilled reads a message whose template passed Parse and whose placeholders have been filled. Only a message that has grown
// over the limit is a *notification.Fault; other errors say what a filled-in value broke.
func ParseFilled(m notification.Message) (*Message, error) {
	content, err := readMessage(m)
	if err != nil {
		return nil, errors.New("fill message: " + err.Error()) // not wrapped: a Fault would pass for a message too large
	}
	return newMessage(content)
}

// Canonical returns a message's text as other readers of it expect it: unwrapped, and with FCM's own field names. What is faulty
// stays as it is.
func Canonical(m notification.Message) notification.Message {
	content, _ := readMessage(m) // the faults are Parse's to return
	if content == nil {
		return m
	}
	text, err := json.Marshal(content)
	if err != nil {
		return m
	}
	return text
}

// compile turns a message that the schema found good into the SDK's.
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

// MaxSize is how many bytes a message's JSON may have, without its target.
const MaxSize = maxMessage

// Size is the message's JSON in bytes, without its target and without the marks that a copy is given where they fit.
func (m *Message) Size() int {
	wire, err := json.Marshal(&m.base)
	if err != nil {
		return 0 // it was read from JSON
	}
	return len(wire)
}
