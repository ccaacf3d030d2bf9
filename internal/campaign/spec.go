package campaign

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/notification"
)

// OnAmbiguous is what happens to a recipient whose request may or may not have been accepted.
type OnAmbiguous string

const (
	// Resend sends again: at least once.
	Resend OnAmbiguous = "resend"
	// Report ends the recipient as unknown: at most once.
	Report OnAmbiguous = "report"
)

// Spec is what {campaign:<id>}:spec holds. An application writes at least message and state, in one HSET; fields that
// we do not know are left alone.
type Spec struct {
	ID          string
	State       State
	Message     notification.Message
	Edition     string      // of the message: another one with each Change of it
	OnAmbiguous OnAmbiguous // default Resend
	Weight      int         // share of a dispatcher among the running campaigns of one priority; default 1
	Priority    int         // 0 to MaxPriority; a campaign is served before all of a lower one; default 0
	Rate        float64     // its own cap in pushes a second, over all replicas; 0: none
	// Deadline is a moment after which no one may be sent to; zero: none. The list's own expiry counts besides it: see
	// Earliest.
	Deadline time.Time
	Project  string // the Firebase project to send for; empty: the one that serves it, where only one is known
	Name     string // for people
	Reason   string // why it is paused, cancelled or expired

	Overdue bool // the deadline of its list had passed when Discover looked

	// By the server's clock; zero when it has not come to that. Stored in ms since 1970; RFC 3339 is read too.
	CreatedAt, StartedAt, FinishedAt time.Time
}

// The fields of the hash.
const (
	fieldState       = "state"
	fieldMessage     = "message"
	fieldEdition     = "edition"
	fieldOnAmbiguous = "on_ambiguous"
	fieldWeight      = "weight"
	fieldPriority    = "priority"
	fieldRate        = "rate"
	fieldDeadline    = "deadline"
	fieldProject     = "project"
	fieldName        = "name"
	fieldReason      = "reason"
	fieldCreated     = "created_at"
	fieldStarted     = "started_at"
	fieldFinished    = "finished_at"
)

// headFields are all fields but the message, which is long and not always wanted.
var headFields = []string{
	fieldState, fieldOnAmbiguous, fieldWeight, fieldPriority, fieldRate, fieldDeadline, fieldProject, fieldName, fieldReason, fieldCreated, fieldStarted, fieldFinished,
}

var allFields = append(slices.Clone(headFields), fieldMessage, fieldEdition)

// mute is the error of a spec without a message.
func (s Spec) mute() error {
	if len(s.Message) > 0 {
		return nil
	}
	return &SpecError{ID: s.ID, Field: fieldMessage, Problem: "is missing"}
}

// blank tells that the hash has none of the fields that were asked for.
func blank(values []any) bool {
	return !slices.ContainsFunc(values, func(value any) bool { return value != nil })
}

// parseSpec reads the values of fields. An error is a *SpecError.
func parseSpec(id string, fields []string, values []any) (s Spec, err error) {
	s = Spec{ID: id, OnAmbiguous: Resend, Weight: 1}
	for i, field := range fields {
		value, set := values[i].(string)
		if !set {
			continue
		}
		if problem := s.set(field, value); problem != "" && err == nil {
			err = &SpecError{ID: id, Field: field, Problem: problem}
		}
	}
	if s.State == "" && err == nil {
		err = &SpecError{ID: id, Field: fieldState, Problem: badState("")}
	}
	return s, err
}

// set takes one field; problem says why it cannot.
func (s *Spec) set(field, value string) (problem string) {
	switch field {
	case fieldState:
		if s.State = State(value); !s.State.valid() {
			return badState(value)
		}
	case fieldMessage:
		s.Message = notification.Message(value)
	case fieldEdition:
		s.Edition = value
	case fieldOnAmbiguous:
		if s.OnAmbiguous = OnAmbiguous(value); s.OnAmbiguous != Resend && s.OnAmbiguous != Report {
			return fmt.Sprintf("is %s, want %s or %s", shorten(value), Resend, Report)
		}
	case fieldWeight:
		return within(&s.Weight, value, 1, MaxWeight)
	case fieldPriority:
		return within(&s.Priority, value, 0, MaxPriority)
	case fieldRate:
		return take(&s.Rate, value, ParseRate)
	case fieldDeadline:
		return take(&s.Deadline, value, ParseDeadline)
	case fieldProject:
		return take(&s.Project, value, ParseProject)
	case fieldName:
		s.Name = value
	case fieldReason:
		s.Reason = value
	case fieldCreated:
		s.CreatedAt = parseTime(value)
	case fieldStarted:
		s.StartedAt = parseTime(value)
	case fieldFinished:
		s.FinishedAt = parseTime(value)
	}
	return ""
}

// badState says what is wrong with a state, and what to do about it.
func badState(value string) string {
	if value == "" {
		return fmt.Sprintf("is missing: HSET it to %s, or to %s and start the campaign later", Running, Draft)
	}
	return fmt.Sprintf("is %s, want one of %v", shorten(value), States)
}

// shorten quotes a stranger's value for an error.
func shorten(value string) string {
	const most = 40
	if len(value) > most {
		value = value[:most] + "…"
	}
	return strconv.Quote(value)
}

// parseTime is lenient: times are shown to people and decide nothing.
func parseTime(value string) time.Time {
	if ms, err := strconv.ParseInt(value, 10, 64); err == nil && ms != 0 {
		return bounds.Milli(ms)
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil || !bounds.Contains(t) {
		return time.Time{}
	}
	return t.UTC()
}
