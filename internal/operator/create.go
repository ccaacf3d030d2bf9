package operator

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/keys"
	"fanfare/internal/notification"
	"fanfare/internal/terminal"
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
	if spec.ID == "." || spec.ID == ".." {
		return &keys.IDError{ID: spec.ID, Problem: "cannot be part of an address of the console or the API"}
	}
	message, err := CheckMessage(spec.Message)
	if err != nil {
		return err
	}
	if err := o.checkProject(spec.ID, spec.Project); err != nil {
		return err
	}
	if err := o.checkFuture(ctx, spec.ID, spec.Deadline); err != nil {
		return err
	}
	spec.Message, spec.State = message, campaign.Draft
	if err = o.checkTimes(ctx, spec); err != nil {
		return err
	}
	if spec.Deadline.IsZero() {
		if spec.DerivedDeadline, err = o.deriveDeadline(ctx, spec); err != nil {
			return err
		}
		spec.Deadline = spec.DerivedDeadline
	}
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
	if change.Project != nil {
		if err := o.checkProject(id, *change.Project); err != nil {
			return err
		}
	}
	if change.Deadline != nil {
		if err := o.checkFuture(ctx, id, *change.Deadline); err != nil {
			return err
		}
	}
	if err := o.checkTimesOf(ctx, id, &change); err != nil {
		return err
	}
	if err := o.deps.Campaigns.Change(ctx, id, change); err != nil {
		return err
	}
	return o.applyTimes(ctx, id, change)
}

// checkProject refuses a project that the settings do not have: no dispatcher would send for it,
// and campaigns without a project would wait, because there seem to be several.
func (o *Operator) checkProject(id, project string) error {
	if project == "" || len(o.deps.Projects) == 0 || slices.Contains(o.deps.Projects, project) {
		return nil
	}
	if _, err := campaign.ParseProject(project); err != nil {
		return &campaign.SpecError{ID: id, Field: "project", Problem: err.Error()}
	}
	return &campaign.SpecError{ID: id, Field: "project", Problem: fmt.Sprintf("is %q, which the settings do not have: they have %s", project, strings.Join(o.deps.Projects, ", "))}
}

// PassedError refuses to start a campaign that would only expire.
type PassedError struct {
	ID string
	At time.Time
}

func (e *PassedError) Error() string {
	return fmt.Sprintf("the deadline of campaign %s, %s, has passed: every recipient would expire", terminal.Printable(e.ID), LocalTime(e.At))
}

// checkDeadline refuses to start a draft whose deadline has passed. A deadline that a producer
// set is accepted, because no other could replace it. An operator may resume a paused campaign on
// purpose, so that the rest is recorded as expired.
func (o *Operator) checkDeadline(ctx context.Context, spec campaign.Spec, books campaign.Books) error {
	if spec.State != campaign.Draft {
		return nil
	}
	deadline := spec.Deadline
	if deadline.IsZero() && books.Assumed {
		deadline = books.Deadline
	}
	passed, err := o.hasPassed(ctx, deadline)
	if passed {
		return &PassedError{ID: spec.ID, At: deadline}
	}
	return err
}

// checkFuture refuses a deadline that has passed; zero means none.
func (o *Operator) checkFuture(ctx context.Context, id string, deadline time.Time) error {
	passed, err := o.hasPassed(ctx, deadline)
	if passed {
		return &campaign.SpecError{ID: id, Field: "deadline", Problem: fmt.Sprintf("is %s, which has passed: every recipient would expire", LocalTime(deadline))}
	}
	return err
}

// hasPassed compares a deadline with the clock of Redis, which the dispatchers use.
func (o *Operator) hasPassed(ctx context.Context, deadline time.Time) (bool, error) {
	if deadline.IsZero() {
		return false, nil
	}
	now, err := o.deps.Redis.Time(ctx).Result()
	if err != nil {
		return false, fmt.Errorf("ask Redis for the time: %w", err)
	}
	return !now.Before(deadline), nil
}
