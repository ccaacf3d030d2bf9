package campaign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"fanfare/internal/schedule"
	"fanfare/internal/terminal"
)

// setTime parses a field about when recipients are sent to, and returns the problem as text.
func (s *Spec) setTime(field, value string) (problem string) {
	switch field {
	case fieldStartAt:
		return parseValue(&s.StartAt, value, ParseDeadline)
	case fieldWindows:
		return parseValue(&s.Windows, value, schedule.ParseWindows)
	case fieldLocalTime:
		return parseValue(&s.LocalTime, value, schedule.ParseLocal)
	case fieldQuiet:
		return parseValue(&s.QuietHours, value, ParseQuietHours)
	default:
		return parseValue(&s.TimeZone, value, ParseTimeZone)
	}
}

// ParseTimeZone checks the name of a time zone; "" means none. The error text follows the words
// "time zone".
func ParseTimeZone(name string) (string, error) {
	if name == "" {
		return "", nil
	}
	_, err := schedule.ParseZone(name)
	return name, err
}

// Rules returns the time rules of the campaign for users without quiet hours of their own.
func (s Spec) Rules() schedule.Rules {
	rules := s.RulesBesideQuiet()
	if s.IsExemptFromQuiet() {
		return rules
	}
	return rules.WithQuiet(s.QuietHours.Default)
}

// RulesBesideQuiet returns the time rules of the campaign without quiet hours.
func (s Spec) RulesBesideQuiet() schedule.Rules {
	rules := schedule.Rules{Windows: s.Windows, Local: s.LocalTime}
	rules.Zone, _ = schedule.ParseZone(s.TimeZone) // validated when it was read; UTC without one
	return rules
}

// IsScheduled reports whether the campaign starts by itself.
func (s Spec) IsScheduled() bool { return s.State == Draft && !s.StartAt.IsZero() }

// CheckTimes returns a *SpecError for a schedule that sends to no one: it starts in the past or
// after its deadline, or no recipient anywhere can be sent to between the two.
func (s Spec) CheckTimes(now time.Time) error {
	refuse := func(field, format string, args ...any) error {
		return &SpecError{ID: s.ID, Field: field, Problem: fmt.Sprintf(format, args...)}
	}
	start := now
	if s.IsScheduled() {
		start = s.StartAt
	}
	rules := s.Rules()
	switch {
	case s.IsScheduled() && !now.Before(s.StartAt):
		return refuse(fieldStartAt, "is %s, which has passed: choose a later moment, or start the campaign yourself", formatMoment(s.StartAt))
	case s.IsScheduled() && !s.Deadline.IsZero() && !s.StartAt.Before(s.Deadline):
		return refuse(fieldStartAt, "is %s, not before the deadline %s: every recipient would expire", formatMoment(s.StartAt), formatMoment(s.Deadline))
	case s.LocalTime.HasPassed(start):
		return refuse(fieldLocalTime, "is %s, which has passed in every time zone at the start", s.LocalTime)
	case rules.IsZero() || rules.OpensAnywhere(start, s.Deadline):
		return nil
	case s.RulesBesideQuiet().IsZero() || s.RulesBesideQuiet().OpensAnywhere(start, s.Deadline):
		return refuse(fieldQuiet, "are %s, and leave no time to send to anyone without quiet hours of their own", s.QuietHours)
	case s.Windows.IsZero():
		return refuse(fieldLocalTime, "is %s, in no time zone before the deadline %s", s.LocalTime, formatMoment(s.Deadline))
	case s.LocalTime.IsZero():
		return refuse(fieldWindows, "are %s, and open in no time zone between the start and the deadline %s", s.Windows, formatMoment(s.Deadline))
	}
	return refuse(fieldWindows, "are %s, and open in no time zone at the local time %s before the deadline", s.Windows, s.LocalTime)
}

func formatMoment(at time.Time) string { return at.Local().Format(time.RFC3339) } //nolint:gosmopolitan // for people

// DescribeListDeadline says that the start comes too late for a list.
func DescribeListDeadline(deadline time.Time) string {
	return "the expiry of its list, " + formatMoment(deadline) + ", comes before its start"
}

// IncompleteStartError says why a scheduled campaign has not started.
type IncompleteStartError struct {
	ID     string
	Losses []Loss
}

func (e *IncompleteStartError) Error() string {
	return fmt.Sprintf("campaign %s does not start by itself: %s", terminal.Printable(e.ID), e.reason())
}

func (e *IncompleteStartError) reason() string {
	text := "its audience is incomplete"
	for _, loss := range e.Losses {
		text += "; " + loss.What
	}
	return text
}

// RefusedStartError says why a scheduled campaign stays a draft, although its time has come.
type RefusedStartError struct {
	ID, Reason string
	Overdue    bool // the deadline of its list has passed
}

func (e *RefusedStartError) Error() string {
	return fmt.Sprintf("campaign %s does not start by itself: %s", terminal.Printable(e.ID), e.Reason)
}

// refusal is the answer of Options.CheckStart to a campaign; a reason "" lets it start.
type refusal struct {
	at     time.Time
	reason string
}

// refusalAge is how long a refusal holds. The check reads a sample of the audience.
const refusalAge = time.Minute

// checkStart asks whether a scheduled campaign may start. It returns a *RefusedStartError if not.
func (c *Campaigns) checkStart(ctx context.Context, id string, now time.Time) error {
	if c.o.CheckStart == nil {
		return nil
	}
	known, found := c.refusals[id]
	if !found || now.Sub(known.at) >= refusalAge {
		reason, err := c.o.CheckStart(ctx, id)
		if err != nil {
			return fmt.Errorf("check the scheduled start of campaign %s: %w", id, err)
		}
		known = refusal{now, reason}
	}
	if known.reason == "" {
		delete(c.refusals, id)
		return nil
	}
	if c.refusals == nil {
		c.refusals = make(map[string]refusal)
	}
	c.refusals[id] = known
	return &RefusedStartError{ID: id, Reason: known.reason}
}

// noteRefusal adds to the history, once for each time of a start, that it is refused. If that
// fails, the next look tries again: the draft waits whatever its history says.
func (c *Campaigns) noteRefusal(ctx context.Context, s Spec, k campaignKeys, kind, reason string) {
	ref := formatDeadline(s.StartAt) + " " + kind
	if c.noted[s.ID] == ref {
		return
	}
	if _, _, err := c.run(ctx, refuseScript, k.scriptKeys(), ref, oneLine(reason), c.actor(ctx)); err != nil {
		return
	}
	if c.noted == nil {
		c.noted = make(map[string]string)
	}
	c.noted[s.ID] = ref
}

// beginAhead is how far a clock may be behind that of Redis for a start to be on time.
const beginAhead = time.Minute

// beginScheduled starts the drafts whose time has come, by the clock of Redis. It returns the heads
// as they are then, and why others have not started. A start that fails is tried again by the next
// Discover.
func (c *Campaigns) beginScheduled(ctx context.Context, heads []head, known []Project) (after []head, late []Problem) {
	for i, h := range heads {
		if h.problem != nil || !h.spec.IsScheduled() || time.Until(h.spec.StartAt) > beginAhead || c.checkProject(h.spec, known) != nil {
			continue
		}
		switch began, err := c.begin(ctx, h.spec, h.keys); {
		case began:
			heads[i].spec.State = Running
		case err != nil && ctx.Err() == nil:
			late = append(late, Problem{h.spec.ID, err})
		}
	}
	return heads, late
}

// begin starts a scheduled draft if its time has come. Only one of several callers does, and the
// script that changes the state adds it to the history.
func (c *Campaigns) begin(ctx context.Context, s Spec, k campaignKeys) (began bool, err error) {
	now, err := c.rdb.Time(ctx).Result()
	if err != nil || now.Before(s.StartAt) {
		return false, err
	}
	books, err := c.Books(ctx, s.ID)
	if err != nil {
		return false, err
	}
	if books.IsIncomplete(s) {
		late := &IncompleteStartError{ID: s.ID, Losses: books.Losses(s)}
		c.noteRefusal(ctx, s, k, "incomplete", late.reason())
		return false, late
	}
	if deadline := books.ListDeadline(s.Deadline); !deadline.IsZero() && !now.Before(deadline) {
		late := &RefusedStartError{ID: s.ID, Reason: DescribeListDeadline(deadline) + ": every recipient would expire", Overdue: true}
		c.noteRefusal(ctx, s, k, "overdue", late.Reason)
		return false, late
	}
	if err := c.checkStart(ctx, s.ID, now); err != nil {
		if late, refused := errors.AsType[*RefusedStartError](err); refused {
			c.noteRefusal(ctx, s, k, "refused", late.Reason)
		}
		return false, err
	}
	delete(c.noted, s.ID)
	detail := "scheduled for " + s.StartAt.UTC().Format(time.RFC3339)
	word, _, err := c.run(ctx, beginScript, k.scriptKeys(), s.StartAt.UnixMilli(), detail, c.actor(ctx))
	return word == "begun", err
}
