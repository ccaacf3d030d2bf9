package operator

import (
	"context"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/queue"
)

// Deadline is the moment after which nobody is sent to: the campaign's own or the list's expiry, whichever comes first.
func (v View) Deadline() time.Time { return campaign.Earliest(v.Spec.Deadline, v.ListDeadline()) }

// ListDeadline is the list's own expiry: as the first claim has noted it, else as Redis has it; zero: there is none.
func (v View) ListDeadline() time.Time {
	if v.Books.Deadline.IsZero() {
		return v.expires
	}
	return v.Books.Deadline
}

// listExpires is when a list expires by itself, in so far as that is its producer's doing: of a campaign that has ended it is ours.
func (o *Operator) listExpires(ctx context.Context, list queue.List, state campaign.State) (time.Time, error) {
	if state.Ended() {
		return time.Time{}, nil
	}
	left, err := o.deps.Redis.PTTL(ctx, list.Plain()).Result()
	if err != nil || left <= 0 {
		return time.Time{}, err
	}
	return o.now().Add(left), nil
}

// PassedError refuses to begin what would only expire.
type PassedError struct {
	ID string
	At time.Time
}

func (e *PassedError) Error() string {
	return fmt.Sprintf("the deadline of campaign %s, %s, has passed: everybody would end as expired", e.ID, clock(e.At))
}

// inTime refuses to start a draft whose own deadline has passed. Whoever resumes a campaign may want just that: the rest to be
// written down as expired.
func (o *Operator) inTime(ctx context.Context, id string) error {
	spec, err := o.deps.Campaigns.Get(ctx, id)
	if err != nil || spec.State != campaign.Draft {
		return nil //nolint:nilerr // whatever it is, the start itself tells
	}
	passed, err := o.passed(ctx, spec.Deadline)
	if passed {
		return &PassedError{ID: id, At: spec.Deadline}
	}
	return err
}

// future refuses a deadline that has passed; zero is none.
func (o *Operator) future(ctx context.Context, id string, deadline time.Time) error {
	passed, err := o.passed(ctx, deadline)
	if passed {
		return &campaign.SpecError{ID: id, Field: "deadline", Problem: fmt.Sprintf("is %s, which has passed: everybody would end as expired", clock(deadline))}
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
