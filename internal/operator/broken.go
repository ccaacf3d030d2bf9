package operator

import (
	"fmt"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/terminal"
)

// Broken is the displayed state of a campaign that cannot be sent as it is. It is never stored.
const Broken campaign.State = "broken"

// State returns the state to display: Broken instead of a stored state that cannot continue.
func (v View) State() campaign.State {
	if v.Err != nil {
		return Broken
	}
	return v.Spec.State
}

// Problem says why the campaign is broken; "" if it is not.
func (v View) Problem() string {
	if v.Err == nil {
		return ""
	}
	return v.Err.Error()
}

// MessageError says that no dispatcher can send a campaign's message, and lists all of its
// faults.
type MessageError struct {
	ID     string
	Faults notification.Faults
}

func (e *MessageError) Error() string {
	return fmt.Sprintf("message of campaign %s: %v", terminal.Printable(e.ID), e.Faults)
}

func (e *MessageError) Unwrap() error { return e.Faults }

// Sendable returns a *MessageError if the message cannot be sent. An ended campaign always
// passes.
func Sendable(s campaign.Spec) error {
	if s.State.Ended() {
		return nil
	}
	_, err := content.Compile(s.Message)
	if faults := notification.FaultsOf(err); len(faults) > 0 {
		return &MessageError{ID: s.ID, Faults: faults}
	}
	return err
}
