package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/schedule"
	"fanfare/internal/terminal"
)

// scheduleSpan is how long a campaign with time rules runs at most, if it has no deadline: from the
// last moment at which a recipient's turn can begin. The assumed deadline of its list would come
// before that.
const scheduleSpan = 7 * 24 * time.Hour

// westernmost is how much later than in UTC a local time comes in the last zone.
const westernmost = 12 * time.Hour

// checkTimes refuses a schedule that sends to no one.
func (o *Operator) checkTimes(ctx context.Context, spec campaign.Spec) error {
	if !hasTimes(spec) {
		return nil
	}
	now, err := o.deps.Redis.Time(ctx).Result()
	if err != nil {
		return fmt.Errorf("ask Redis for the time: %w", err)
	}
	if err := spec.CheckTimes(now); err != nil {
		return err
	}
	return o.checkListDeadline(ctx, spec)
}

func hasTimes(spec campaign.Spec) bool {
	return !spec.StartAt.IsZero() || !spec.Rules().IsZero() || !spec.QuietHours.IsZero()
}

// deriveDeadline returns the deadline that follows from the times of a campaign which has none of
// its own; zero without any times.
func (o *Operator) deriveDeadline(ctx context.Context, spec campaign.Spec) (time.Time, error) {
	if !hasTimes(spec) {
		return time.Time{}, nil
	}
	last, err := o.deps.Redis.Time(ctx).Result()
	if err != nil {
		return time.Time{}, fmt.Errorf("ask Redis for the time: %w", err)
	}
	for _, at := range []time.Time{spec.StartAt, spec.LocalTime.Wall.Add(spec.LocalTime.Within + westernmost)} {
		if at.After(last) {
			last = at
		}
	}
	return last.Add(scheduleSpan).Truncate(time.Minute), nil
}

// checkListDeadline refuses a start that comes after the expiry that a producer gave the list.
func (o *Operator) checkListDeadline(ctx context.Context, spec campaign.Spec) error {
	if !spec.IsScheduled() {
		return nil
	}
	books, err := o.guardedBooks(ctx, spec, spec.ID)
	if err != nil || books.Assumed || books.Deadline.IsZero() || spec.StartAt.Before(books.Deadline) {
		return err
	}
	return &campaign.SpecError{ID: spec.ID, Field: "start_at", Problem: fmt.Sprintf("is %s: %s, and every recipient would expire; give the list a longer EXPIRE first", LocalTime(spec.StartAt), campaign.DescribeListDeadline(books.Deadline))}
}

// ReadLocalTime reads a new local time of a campaign. One such as "tue 18:00" is seen from the
// start that the campaign will have: a new one, or else the stored one.
func (o *Operator) ReadLocalTime(ctx context.Context, id, text string, startAt *time.Time) (schedule.LocalTime, error) {
	var from time.Time
	if startAt != nil {
		from = *startAt
	} else if spec, _, err := o.readSound(ctx, id); err != nil {
		return schedule.LocalTime{}, err
	} else if spec.IsScheduled() {
		from = spec.StartAt
	}
	local, err := schedule.ParseLocalFrom(text, o.now(), from)
	if err != nil {
		return local, &campaign.SpecError{ID: id, Field: "local_time", Problem: err.Error()}
	}
	return local, nil
}

// readSound reads a spec ahead of a change. For a campaign that is missing or broken it returns the
// zero Spec and false: the change itself says what is wrong, and may repair it.
func (o *Operator) readSound(ctx context.Context, id string) (spec campaign.Spec, isSound bool, err error) {
	spec, err = o.deps.Campaigns.Get(ctx, id)
	if _, isBroken := errors.AsType[*campaign.SpecError](err); isBroken || errors.Is(err, campaign.ErrNotFound) {
		return campaign.Spec{}, false, nil
	}
	return spec, err == nil, err
}

// checkTimesOf does that for a change, as the campaign is after it. A deadline that follows from
// the times is derived again, and becomes part of the change. One that someone gives takes its
// place.
func (o *Operator) checkTimesOf(ctx context.Context, id string, change *campaign.Change) error {
	if change.StartAt == nil && change.Deadline == nil && !changesRules(*change) {
		return nil
	}
	spec, isSound, err := o.readSound(ctx, id)
	if err != nil || !isSound {
		return err
	}
	before := spec
	if spec.HasDerivedDeadline() {
		spec.Deadline = time.Time{}
	}
	change.ApplyTo(&spec)
	if err := o.checkTimesAfter(ctx, spec, *change); err != nil {
		return err
	}
	derived := time.Time{}
	if spec.Deadline.IsZero() && change.Deadline == nil {
		if derived, err = o.deriveDeadline(ctx, spec); err != nil {
			return err
		}
		if !derived.Equal(before.Deadline) {
			change.Deadline = &derived
		}
	}
	if !derived.Equal(before.DerivedDeadline) {
		change.DerivedDeadline = &derived
	}
	return nil
}

// checkTimesAfter checks the times of a campaign after a change. A stored start bounds the other
// times until it has passed: then the draft waits, and starts at any moment.
func (o *Operator) checkTimesAfter(ctx context.Context, spec campaign.Spec, change campaign.Change) error {
	if change.StartAt != nil {
		return o.checkTimes(ctx, spec)
	}
	if !hasTimes(spec) {
		return nil
	}
	now, err := o.deps.Redis.Time(ctx).Result()
	if err != nil {
		return fmt.Errorf("ask Redis for the time: %w", err)
	}
	if !now.Before(spec.StartAt) {
		spec.StartAt = time.Time{}
	}
	if started := spec.State != campaign.Draft; started && change.LocalTime == nil && spec.LocalTime.Within == 0 && spec.LocalTime.HasPassed(now) {
		spec.LocalTime = schedule.LocalTime{} // it has opened everywhere, and does not close
	}
	return spec.CheckTimes(now)
}

// changesRules reports whether a change is one of the rules when recipients are sent to.
func changesRules(c campaign.Change) bool {
	return c.Windows != nil || c.LocalTime != nil || c.TimeZone != nil || c.QuietHours != nil || c.Kind != nil
}

// ruleDelay is how long recipients in the due set still wait after a change of the rules. It is
// long enough for every dispatcher to know of it, and for a retry after a 429.
const ruleDelay = time.Minute

// applyTimes has the recipients in the due set looked at again: by new rules soon, and at a new
// deadline then. Otherwise they would sleep until their window opens by the old ones.
func (o *Operator) applyTimes(ctx context.Context, id string, change campaign.Change) error {
	delay := time.Duration(-1)
	switch {
	case changesRules(change):
		delay = ruleDelay
	case change.Deadline != nil && !change.Deadline.IsZero():
		delay = max(ruleDelay, time.Until(*change.Deadline))
	}
	if delay < 0 {
		return nil
	}
	q, err := o.deps.Campaigns.Queue(id)
	if err != nil {
		return err
	}
	_, err = q.MakeDue(ctx, delay, func([]byte) bool { return true })
	if err != nil {
		return fmt.Errorf("campaign %s is changed, and recipients who wait follow when they are due: %w", terminal.Printable(id), err)
	}
	return nil
}

// Elapsed is how long something took. JSON has it in seconds.
type Elapsed struct{ time.Duration }

// MarshalJSON writes the seconds.
func (e Elapsed) MarshalJSON() ([]byte, error) { return json.Marshal(e.Seconds()) }
