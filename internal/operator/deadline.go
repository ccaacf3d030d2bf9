package operator

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/terminal"
)

// Deadline is the moment after which no one is sent to: the campaign's own or the list's, whichever comes first.
func (v View) Deadline() time.Time { return campaign.Earliest(v.Spec.Deadline, v.ListDeadline()) }

// ListDeadline is the list's own, as its guard has noted it; zero: there is none, or the campaign's own goes before.
func (v View) ListDeadline() time.Time { return v.Books.ListDeadline(v.Spec.Deadline) }

// PassedError refuses to begin what would only expire.
type PassedError struct {
	ID string
	At time.Time
}

func (e *PassedError) Error() string {
	return fmt.Sprintf("the deadline of campaign %s, %s, has passed: everybody would end as expired", terminal.Printable(e.ID), LocalTime(e.At))
}

// inTime refuses to start a draft whose deadline has passed, unless that is a producer's: no other deadline could take its place.
// A person who resumes a campaign may want just that: the rest to be written down as expired.
func (o *Operator) inTime(ctx context.Context, spec campaign.Spec, books campaign.Books) error {
	if spec.State != campaign.Draft {
		return nil
	}
	deadline := spec.Deadline
	if deadline.IsZero() && books.Assumed {
		deadline = books.Deadline
	}
	passed, err := o.passed(ctx, deadline)
	if passed {
		return &PassedError{ID: spec.ID, At: deadline}
	}
	return err
}

// future refuses a deadline that has passed; zero is none.
func (o *Operator) future(ctx context.Context, id string, deadline time.Time) error {
	passed, err := o.passed(ctx, deadline)
	if passed {
		return &campaign.SpecError{ID: id, Field: "deadline", Problem: fmt.Sprintf("is %s, which has passed: everybody would end as expired", LocalTime(deadline))}
	}
	return err
}

// passed asks the clock by which the dispatchers judge.
func (o *Operator) passed(ctx context.Context, deadline time.Time) (bool, error) {
	if deadline.IsZero() {
		return false, nil
	}
	now, err := o.deps.Redis.Time(ctx).Result()
	if err != nil {
		return false, fmt.Errorf("ask Redis for the time: %w", err)
	}
	return !now.Before(deadline), nil
}
