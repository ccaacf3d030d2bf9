// Package content checks a campaign's message as FCM would, and compiles its placeholders. Every
// program reads messages here, so that all accept the same ones.
package content

import (
	"fmt"

	"fanfare/internal/fcm"
	"fanfare/internal/notification"
	"fanfare/internal/profiles"
)

// Content is a campaign's message, ready to send. It is safe for concurrent use.
type Content struct {
	Message  *fcm.Message // what is sent if the template is not personal
	Template *profiles.Template
}

// Compile reads a message from an application or a file. Its error is notification.Faults with
// everything that is wrong.
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
