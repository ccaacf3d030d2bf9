package campaign

import (
	"context"
	"strconv"
	"time"

	"fanfare/internal/notification"
	"fanfare/internal/schedule"
)

// Change lists the fields of a spec to change; nil fields stay as they are. The message can
// change while the campaign is a draft or paused, and the time of its start while it is a draft.
// The other fields can at any time.
type Change struct {
	Message     notification.Message // as Create takes it
	OnAmbiguous *OnAmbiguous
	Devices     *DevicePolicy
	Dedupe      *Dedupe // addresses and users are recorded by the rule in force when they are sent to
	Kind        *Kind   // of the pushes from now on
	Weight      *int
	Priority    *int
	Rate        *float64   // 0 removes the cap
	Deadline    *time.Time // zero removes it
	// DerivedDeadline is Spec.DerivedDeadline.
	DerivedDeadline *time.Time
	StartAt         *time.Time // of a draft; zero removes it
	Windows         *schedule.Windows
	LocalTime       *schedule.LocalTime
	TimeZone        *string
	QuietHours      *QuietHours
	Source          *Source // zero removes it; refused while it is loaded in part
	Partial         bool    // with Source: give up the rest of one that is loaded in part
	Project         *string // empty removes it
}

// IsEmpty reports whether there is nothing to change.
func (c Change) IsEmpty() bool { return len(c.fields()) == 0 }

// ApplyTo makes the change in a spec. The edition stays: the script that writes it counts it.
func (c Change) ApplyTo(s *Spec) {
	if c.Message != nil {
		s.Message = c.Message
	}
	assign(&s.OnAmbiguous, c.OnAmbiguous)
	assign(&s.Devices, c.Devices)
	assign(&s.Dedupe, c.Dedupe)
	assign(&s.Kind, c.Kind)
	assign(&s.Weight, c.Weight)
	assign(&s.Priority, c.Priority)
	assign(&s.Rate, c.Rate)
	assign(&s.Deadline, c.Deadline)
	assign(&s.DerivedDeadline, c.DerivedDeadline)
	assign(&s.StartAt, c.StartAt)
	assign(&s.Windows, c.Windows)
	assign(&s.LocalTime, c.LocalTime)
	assign(&s.TimeZone, c.TimeZone)
	assign(&s.QuietHours, c.QuietHours)
	assign(&s.Source, c.Source)
	assign(&s.Project, c.Project)
}

// assign sets a member that changes.
func assign[T any](member, value *T) {
	if value != nil {
		*member = *value
	}
}

// Change updates a spec in one step; dispatchers read it at their next look for campaigns. It
// returns a *SpecError for an invalid value and ErrNotFound without a spec. A *TransitionError
// means that the message cannot change in this state, and a *SpecError also that the source is
// loaded in part. After an error nothing was changed.
func (c *Campaigns) Change(ctx context.Context, id string, change Change) error {
	return wrap("change", id, c.change(ctx, id, change))
}

func (c *Campaigns) change(ctx context.Context, id string, change Change) error {
	k, err := c.keys(id)
	if err != nil {
		return err
	}
	var states []any
	if change.Message != nil {
		if len(change.Message) == 0 {
			return &SpecError{ID: id, Field: fieldMessage, Problem: "is missing"}
		}
		states = selectStates(State.canRewrite)
	}
	if change.Source != nil {
		if err := change.Source.Validate(); err != nil {
			return &SpecError{ID: id, Field: fieldSource, Problem: err.Error()}
		}
	}
	refused := rewritten
	if change.StartAt != nil && !change.StartAt.IsZero() {
		states, refused = []any{string(Draft)}, rescheduled
	}
	args := append([]any{c.actor(ctx), len(states)}, states...)
	for _, f := range change.fields() {
		if problem := new(Spec).set(f.name, f.value); problem != "" {
			return &SpecError{ID: id, Field: f.name, Problem: problem}
		}
		args = append(args, f.name, f.value)
	}
	word, state, err := c.run(ctx, changeScript, k.scriptKeys(), args...)
	switch word {
	case "missing":
		return ErrNotFound
	case "illegal":
		return &TransitionError{ID: id, From: State(state), To: refused}
	case "partly":
		if !change.Partial {
			return partlyLoaded(id, state)
		}
		if err := c.giveUpLoads(ctx, id, k); err != nil {
			return err
		}
		change.Partial = false // nothing is loaded in part, unless another load has begun
		return c.change(ctx, id, change)
	}
	return err
}

// fieldChange is a field and its new value; "" removes the field.
type fieldChange struct{ name, value string }

func (c Change) fields() []fieldChange {
	var all []fieldChange
	if c.Message != nil {
		all = append(all, fieldChange{fieldMessage, string(c.Message)})
	}
	if c.OnAmbiguous != nil {
		all = append(all, fieldChange{fieldOnAmbiguous, string(*c.OnAmbiguous)})
	}
	if c.Dedupe != nil {
		all = append(all, fieldChange{fieldDedupe, string(*c.Dedupe)})
	}
	if c.Kind != nil {
		all = append(all, fieldChange{fieldKind, string(*c.Kind)})
	}
	if c.Devices != nil {
		all = append(all, fieldChange{fieldDevices, string(*c.Devices)})
	}
	if c.Weight != nil {
		all = append(all, fieldChange{fieldWeight, strconv.Itoa(*c.Weight)})
	}
	if c.Priority != nil {
		all = append(all, fieldChange{fieldPriority, strconv.Itoa(*c.Priority)})
	}
	if c.Rate != nil {
		all = append(all, fieldChange{fieldRate, formatRate(*c.Rate)})
	}
	if c.Deadline != nil {
		all = append(all, fieldChange{fieldDeadline, formatDeadline(*c.Deadline)})
	}
	if c.DerivedDeadline != nil {
		all = append(all, fieldChange{fieldDerived, formatDeadline(*c.DerivedDeadline)})
	}
	if c.StartAt != nil {
		all = append(all, fieldChange{fieldStartAt, formatDeadline(*c.StartAt)})
	}
	if c.Windows != nil {
		all = append(all, fieldChange{fieldWindows, c.Windows.String()})
	}
	if c.LocalTime != nil {
		all = append(all, fieldChange{fieldLocalTime, c.LocalTime.String()})
	}
	if c.TimeZone != nil {
		all = append(all, fieldChange{fieldTimeZone, *c.TimeZone})
	}
	if c.QuietHours != nil {
		all = append(all, fieldChange{fieldQuiet, c.QuietHours.String()})
	}
	if c.Source != nil {
		all = append(all, fieldChange{fieldSource, c.Source.String()})
	}
	if c.Project != nil {
		all = append(all, fieldChange{fieldProject, *c.Project})
	}
	return all
}
