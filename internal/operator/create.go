package operator

import (
	"bytes"
	"context"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// CheckMessage validates a campaign's message as the dispatcher will, and returns it without a
// byte order mark. The error is a notification.Faults that lists every field FCM would refuse.
func CheckMessage(text []byte) (notification.Message, error) {
	message := notification.Message(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")))
	if _, err := content.Compile(message); err != nil {
		return nil, err // it names the place in the message
	}
	return message, nil
}

// Create writes a new campaign as a draft. Its audience may be loaded before or after.
func (o *Operator) Create(ctx context.Context, spec campaign.Spec) error {
	message, err := CheckMessage(spec.Message)
	if err != nil {
		return err
	}
	if err := o.checkFuture(ctx, spec.ID, spec.Deadline); err != nil {
		return err
	}
	spec.Message, spec.State = message, campaign.Draft
	return o.deps.Campaigns.Create(ctx, spec)
}

// Change updates a campaign in one step, as far as its state allows. A new message is validated
// as in Create.
func (o *Operator) Change(ctx context.Context, id string, change campaign.Change) error {
	if change.Message != nil {
		var err error
		if change.Message, err = CheckMessage(change.Message); err != nil {
			return err
		}
	}
	if change.Deadline != nil {
		if err := o.checkFuture(ctx, id, *change.Deadline); err != nil {
			return err
		}
	}
	return o.deps.Campaigns.Change(ctx, id, change)
}
