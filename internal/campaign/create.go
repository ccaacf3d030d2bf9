package campaign

import (
	"cmp"
	"context"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"fanfare/internal/terminal"
)

// Create writes a new campaign as a draft, or as running if the spec says so. Its recipients may
// be loaded before or after. It returns ErrExists if there is a spec with this id.
func (c *Campaigns) Create(ctx context.Context, s Spec) error {
	return wrap("create", s.ID, c.create(ctx, s))
}

func (c *Campaigns) create(ctx context.Context, s Spec) error {
	k, err := c.keys(s.ID)
	if err != nil {
		return err
	}
	if s, err = s.withDefaults(); err != nil {
		return err
	}
	// Register first. If the process dies here, the registry drops the entry. In the other order
	// the campaign would be unknown.
	if err := c.register(ctx, s.ID); err != nil {
		return err
	}
	args := append([]any{uuid.NewString(), string(s.State), c.actor(ctx)}, s.fields()...)
	word, _, err := c.run(ctx, createScript, k.scriptKeys(), args...)
	switch {
	case err != nil:
		return err
	case word == "exists":
		return ErrExists
	}
	// Register again: Discover may have removed an entry without a campaign in between.
	return c.register(ctx, s.ID)
}

// maxName is the longest name in bytes: lists show it whole.
const maxName = 200

// withDefaults sets defaults, and validates the spec with the rules that parseSpec applies to a
// stored one.
func (s Spec) withDefaults() (Spec, error) {
	if s.State == "" {
		s.State = Draft
	}
	if s.OnAmbiguous == "" {
		s.OnAmbiguous = Resend
	}
	s.Devices = cmp.Or(s.Devices, AllDevices)
	s.Dedupe = cmp.Or(s.Dedupe, DedupeAddress)
	s.Kind = cmp.Or(s.Kind, Marketing)
	if s.Weight == 0 {
		s.Weight = 1
	}
	switch {
	case s.State != Draft && s.State != Running:
		return s, &SpecError{s.ID, fieldState, fmt.Sprintf("is %q, but a campaign begins as %s or %s", s.State, Draft, Running)}
	case len(s.Message) == 0:
		return s, &SpecError{s.ID, fieldMessage, "is missing"}
	case len(s.Name) > maxName || !terminal.IsPrintable(s.Name):
		return s, &SpecError{s.ID, fieldName, fmt.Sprintf("is not one line of at most %d bytes", maxName)}
	}
	for _, f := range []struct{ field, value string }{
		{fieldOnAmbiguous, string(s.OnAmbiguous)}, {fieldDevices, string(s.Devices)}, {fieldDedupe, string(s.Dedupe)}, {fieldKind, string(s.Kind)}, {fieldWeight, strconv.Itoa(s.Weight)},
		{fieldPriority, strconv.Itoa(s.Priority)}, {fieldRate, formatRate(s.Rate)}, {fieldDeadline, formatDeadline(s.Deadline)}, {fieldDerived, formatDeadline(s.DerivedDeadline)},
		{fieldStartAt, formatDeadline(s.StartAt)}, {fieldWindows, s.Windows.String()}, {fieldLocalTime, s.LocalTime.String()}, {fieldTimeZone, s.TimeZone}, {fieldQuiet, s.QuietHours.String()},
		{fieldSource, s.Source.String()}, {fieldProject, s.Project},
	} {
		if problem := s.set(f.field, f.value); problem != "" {
			return s, &SpecError{s.ID, f.field, problem}
		}
	}
	if err := s.Source.Validate(); err != nil {
		return s, &SpecError{s.ID, fieldSource, err.Error()}
	}
	return s, nil
}

// fields lists the fields that an application may write too, without the state. The scripts write
// the times.
func (s Spec) fields() []any {
	all := []any{
		fieldMessage, []byte(s.Message),
		fieldOnAmbiguous, string(s.OnAmbiguous),
		fieldWeight, s.Weight,
		fieldPriority, s.Priority,
	}
	if s.Dedupe != DedupeAddress {
		all = append(all, fieldDedupe, string(s.Dedupe))
	}
	if s.Kind == Transactional {
		all = append(all, fieldKind, string(s.Kind))
	}
	if s.Devices == LatestDevice {
		all = append(all, fieldDevices, string(s.Devices))
	}
	for _, optional := range []struct{ field, value string }{
		{fieldRate, formatRate(s.Rate)}, {fieldDeadline, formatDeadline(s.Deadline)}, {fieldDerived, formatDeadline(s.DerivedDeadline)}, {fieldProject, s.Project}, {fieldName, s.Name},
		{fieldStartAt, formatDeadline(s.StartAt)}, {fieldWindows, s.Windows.String()}, {fieldLocalTime, s.LocalTime.String()}, {fieldTimeZone, s.TimeZone}, {fieldQuiet, s.QuietHours.String()},
		{fieldSource, s.Source.String()},
	} {
		if optional.value != "" {
			all = append(all, optional.field, optional.value)
		}
	}
	return all
}
