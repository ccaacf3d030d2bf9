// Package content is a campaign's message made ready to be sent: checked as FCM would check it, with its placeholders compiled.
// Whatever reads a message reads it here, so that what is accepted at one door is accepted at all.
package content

import (
	"fmt"

	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
)

// Content is a campaign's message. It is safe for concurrent use.
type Content struct {
	Message  *fcm.Message // as it is sent where the template is not personal
	Template *profiles.Template
}

// Compile reads a message as an application or a file gives it. An error is notification.Faults with all that is wrong.
func Compile(text notification.Message) (*Content, error) {
	message, err := fcm.Parse(text)
	faults := notification.FaultsOf(err)
	if err != nil && len(faults) == 0 {
		return nil, fmt.Errorf("read message: %w", err)
	}
	template, err := profiles.Compile(fcm.Canonical(text))
	faults = append(faults, notification.FaultsOf(err)...)
	if err != nil && len(faults) == 0 {
		return nil, fmt.Errorf("read placeholders: %w", err)
	}
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return &Content{Message: message, Template: template}, nil
}
