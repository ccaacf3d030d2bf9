package operator

import (
	"bytes"
	"context"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// CheckMessage reads a campaign's message as the dispatcher will, and returns it without a byte order mark. What FCM would
// refuse is refused here; the error is notification.Faults, which names all fields at fault.
func CheckMessage(text []byte) (notification.Message, error) {
	message := notification.Message(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if _, err := content.Compile(message); err != nil {
		return nil, err // it says where in the message
	}
	return message, nil
}

// Create writes a new campaign as a draft. Its audience may be in Redis already, or come later.
func (o *Operator) Create(ctx context.Context, spec campaign.Spec) error {
	message, err := CheckMessage(spec.Message)
	if err != nil {
		return err
	}
	if err := o.future(ctx, spec.ID, spec.Deadline); err != nil {
		return err
	}
	spec.Message, spec.State = message, campaign.Draft
	return o.deps.Campaigns.Create(ctx, spec)
}

// Change changes what of a campaign may be changed in its state, at one moment. Another message is checked as that of Create.
func (o *Operator) Change(ctx context.Context, id string, change campaign.Change) error {
	if change.Message != nil {
		var err error
		if change.Message, err = CheckMessage(change.Message); err != nil {
			return err
		}
	}
	if change.Deadline != nil {
		if err := o.future(ctx, id, *change.Deadline); err != nil {
			return err
		}
	}
	return o.deps.Campaigns.Change(ctx, id, change)
}
