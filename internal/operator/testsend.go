package operator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/pacing"
	"fanfare/internal/terminal"
)

// TestSender sends one message, or lets FCM check it.
type TestSender interface {
	Send(ctx context.Context, body []byte, target notification.Target) TestAnswer
	Validate(ctx context.Context, body []byte, target notification.Target) TestAnswer
}

// TestAnswer is FCM's answer to a test. It is a type of its own so that programs that never send,
// such as the responder, do not link what sends.
type TestAnswer struct {
	Accepted bool
	// Unrequested: the client refused the message by itself, and FCM was not asked.
	Unrequested bool
	MessageID   string // of an accepted message
	Code        string // FCM's error code; "" if it sent none
	Detail      string // a sentence for people, without a token
	// OverQuota is a 429 of the whole project, with the wait that FCM asks for.
	OverQuota  bool
	RetryAfter time.Duration
}

// Pacer is the project's quota; *pacing.Governor implements it.
type Pacer interface {
	Wait(ctx context.Context, p pacing.Push) error
	CloseGate(ctx context.Context, retryAfter time.Duration, reason string) error
}

// TestSend is a push of a campaign's message to the devices of one user, or to one address.
type TestSend struct {
	Campaign string
	User     string              // whose profile fills the message; "" fills in the defaults
	Address  notification.Target // zero: all that are stored for the user
	// ValidateOnly lets FCM check the message. Nothing is delivered.
	ValidateOnly bool

	Sender TestSender
	Pacer  Pacer // nil: without a quota
}

// TestResult is FCM's answer to the test of one device.
type TestResult struct {
	Address      notification.Target
	Platform     string          // "" if unknown
	Message      FilledMessage   // as the device gets it
	Request      json.RawMessage // what was sent, with the address shortened
	Size         int             // of the message in bytes, as FCM counts it
	ValidateOnly bool
	// LeftOut reports that the campaign itself would leave the device out: it sends to the latest
	// one alone.
	LeftOut bool
	Answer  TestAnswer
}

// Errors of a test that was not sent.
var (
	ErrNoTestAddress  = errors.New("no token or FID is stored for the user: nothing was sent")
	ErrTestSuppressed = errors.New("the campaign would skip them, and nothing was sent; to check the message give --validate-only, to send it elsewhere --token or --fid")
	ErrBadTestAddress = errors.New("this is no registration token or FID: nothing was sent")
)

// testPush is a push of a test that is ready to be sent.
type testPush struct {
	body   []byte
	result TestResult
}

// SendTest sends a campaign's message once to each device, in any state of the campaign. Each push
// takes a permit of the project's quota. It is in no books, no result is written, and no token is
// removed, however FCM answers. Nothing is sent unless the message can be filled in for all
// devices. An error after that comes with the results so far.
func (o *Operator) SendTest(ctx context.Context, t TestSend) ([]TestResult, error) {
	pushes, err := o.prepareTest(ctx, t)
	if err != nil {
		return nil, err
	}
	var results []TestResult
	for _, push := range pushes {
		if err := t.wait(ctx); err != nil {
			return results, fmt.Errorf("%w; sent to %d of %d devices", err, len(results), len(pushes))
		}
		send := t.Sender.Send
		if t.ValidateOnly {
			send = t.Sender.Validate
		}
		push.result.Answer = send(ctx, push.body, push.result.Address)
		results = append(results, push.result)
		if err := cmp.Or(t.closeGate(ctx, push.result.Answer), o.noteTest(ctx, t, push.result)); err != nil {
			return results, err
		}
	}
	return results, nil
}

// prepareTest fills the message in for each device.
func (o *Operator) prepareTest(ctx context.Context, t TestSend) ([]testPush, error) {
	spec, err := o.deps.Campaigns.Get(ctx, t.Campaign)
	if err != nil {
		return nil, err
	}
	filled, err := o.FillFor(ctx, spec, t.User)
	if err != nil {
		return nil, err
	}
	if err := o.checkSuppressed(ctx, t); err != nil {
		return nil, err
	}
	devices, err := o.testDevices(ctx, t)
	if err != nil {
		return nil, err
	}
	var pushes []testPush
	for i, d := range devices {
		message := filled.forDevice(d.Locale)
		if message.Err != nil {
			return nil, fmt.Errorf("%w: nothing was sent", message.Err)
		}
		push := t.push(message, d)
		push.result.LeftOut = i > 0 && spec.Devices == campaign.LatestDevice
		pushes = append(pushes, push)
	}
	return pushes, nil
}

// checkSuppressed refuses to deliver to a suppressed user. An address that a person names may be
// anyone's, and a validation delivers nothing.
func (o *Operator) checkSuppressed(ctx context.Context, t TestSend) error {
	if t.User == "" || !t.Address.IsZero() || t.ValidateOnly {
		return nil
	}
	suppressed, err := o.deps.Suppressed.Find(ctx, []string{t.User})
	switch {
	case err != nil:
		return fmt.Errorf("look up whether user %s is suppressed: %w", terminal.Printable(t.User), err)
	case suppressed[t.User]:
		return fmt.Errorf("%s is suppressed: %w", terminal.Printable(t.User), ErrTestSuppressed)
	}
	return nil
}

// push builds the request for one device.
func (t TestSend) push(message FilledMessage, d notification.Device) testPush {
	// The tag differs from the campaign's, so that the device shows the real message beside it.
	e, now := content.Envelope{Target: d.Target, Campaign: "test of " + t.Campaign, User: t.User}, time.Now()
	body := message.filled.AppendRequest(nil, e, now)
	e.Target = notification.Target{Kind: d.Target.Kind, Value: d.Target.String()}
	return testPush{body, TestResult{
		Address: d.Target, Platform: d.Platform, Message: message, Size: message.filled.Size(), ValidateOnly: t.ValidateOnly,
		Request: message.filled.AppendRequest(nil, e, now),
	}}
}

// wait takes a permit of the project's quota.
func (t TestSend) wait(ctx context.Context) error {
	if t.Pacer == nil {
		return nil
	}
	push := pacing.Push{Campaign: "test of " + t.Campaign, Weight: 1, Priority: campaign.MaxPriority} // a person waits for it
	if err := t.Pacer.Wait(ctx, push); err != nil {
		return fmt.Errorf("wait for the quota: %w", cmp.Or(context.Cause(ctx), err))
	}
	return nil
}

// closeGate stops all sending of the project after a project-wide 429.
func (t TestSend) closeGate(ctx context.Context, a TestAnswer) error {
	if t.Pacer == nil || !a.OverQuota {
		return nil
	}
	return t.Pacer.CloseGate(ctx, a.RetryAfter, "429 of the project, received by a test")
}

// noteTest records where a test went and what FCM answered. A validation is not recorded: it
// delivers nothing.
func (o *Operator) noteTest(ctx context.Context, t TestSend, r TestResult) error {
	if t.ValidateOnly || r.Answer.Unrequested {
		return nil
	}
	to := "to " + r.Address.String()
	if t.User != "" {
		to = "to user " + t.User + " at " + r.Address.String()
	}
	if err := o.note(ctx, t.Campaign, notification.HistoryEntry{What: campaign.NoteTested, Detail: to + "; " + r.Describe()}); err != nil {
		return fmt.Errorf("the test was sent, but not recorded: %w", err)
	}
	return nil
}

// testDevices returns the devices that a test goes to, at least one.
func (o *Operator) testDevices(ctx context.Context, t TestSend) ([]notification.Device, error) {
	if !t.Address.IsZero() {
		if !t.Address.IsSendable() {
			return nil, ErrBadTestAddress
		}
		return []notification.Device{{Target: t.Address}}, nil
	}
	found, err := o.deps.Tokens.Peek(ctx, []string{t.User})
	if err != nil {
		return nil, fmt.Errorf("look up the devices of user %s: %w", terminal.Printable(t.User), sourceProblem(err))
	}
	devices := slices.DeleteFunc(slices.Clone(found[t.User]), func(d notification.Device) bool { return !d.Target.IsSendable() })
	if len(devices) == 0 {
		return nil, ErrNoTestAddress
	}
	return devices, nil
}

// Describe says in a sentence what FCM answered.
func (r TestResult) Describe() string {
	a := r.Answer
	switch {
	case a.Unrequested:
		return "FCM was not asked: " + a.Detail
	case a.Accepted && r.ValidateOnly:
		return "FCM would accept it"
	case a.Accepted:
		return "FCM accepted it: " + a.MessageID
	}
	text := "FCM did not accept it"
	if a.Code != "" {
		text += ": " + a.Code
	}
	if a.Detail != "" {
		text += ", " + a.Detail
	}
	return text
}
