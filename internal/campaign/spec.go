package campaign

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/bounds"
	"fanfare/internal/notification"
	"fanfare/internal/schedule"
	"fanfare/internal/terminal"
)

// Spec is the content of {campaign:<id>}:spec. An application writes at least message and state,
// in one HSET. Unknown fields are left alone.
type Spec struct {
	ID          string
	State       State
	Message     notification.Message
	Edition     string       // of the message; each Change of the message sets another one
	OnAmbiguous OnAmbiguous  // default Resend
	Devices     DevicePolicy // default AllDevices
	Dedupe      Dedupe       // default DedupeAddress
	Kind        Kind         // default Marketing
	Weight      int          // share of a dispatcher among the running campaigns of one priority; default 1
	Priority    int          // 0 to MaxPriority; a campaign is served before all of a lower one; default 0
	Rate        float64      // cap in pushes a second over all replicas; 0: none
	// Deadline is the moment after which no one may be sent to; zero means none. The list's own
	// expiry counts too: see Earliest.
	Deadline time.Time
	// DerivedDeadline is the deadline that follows from the times of the campaign, if no one gave
	// it one. If Deadline is another one, someone has set that.
	DerivedDeadline time.Time
	// StartAt is when a draft starts by itself; zero: never. It is kept once the campaign runs.
	StartAt time.Time
	// Windows and LocalTime say when a recipient may be sent to, by the clock of the place where
	// they are. TimeZone is the zone of recipients whose own zone is unknown; empty: UTC.
	Windows   schedule.Windows
	LocalTime schedule.LocalTime
	TimeZone  string
	// QuietHours say when users want no push. A transactional campaign does not keep them.
	QuietHours QuietHours
	Source     Source // where the audience comes from; a load without a file reads it
	Project    string // Firebase project; empty: the only one that is known
	Name       string // for people
	Reason     string // why it is paused, cancelled or expired
	// PausedBy and CancelledBy are who paused or cancelled it; empty in every other state, and if
	// an application wrote the state.
	PausedBy, CancelledBy string

	endLogged bool // of a cancelled campaign: see NoteEnd

	Overdue bool // set by Discover: the deadline of the list has passed

	// Times of the Redis server's clock; zero before the event. They are stored in ms since 1970;
	// RFC 3339 is read too.
	CreatedAt, StartedAt, PausedAt, FinishedAt time.Time
}

// The fields of the hash.
const (
	fieldState       = "state"
	fieldMessage     = "message"
	fieldEdition     = "edition"
	fieldOnAmbiguous = "on_ambiguous"
	fieldDevices     = "devices"
	fieldDedupe      = "dedupe"
	fieldKind        = "kind"
	fieldWeight      = "weight"
	fieldPriority    = "priority"
	fieldRate        = "rate"
	fieldDeadline    = "deadline"
	fieldDerived     = "derived_deadline"
	fieldStartAt     = "start_at"
	fieldWindows     = "windows"
	fieldLocalTime   = "local_time"
	fieldTimeZone    = "time_zone"
	fieldQuiet       = "quiet_hours"
	fieldSource      = "source"
	fieldProject     = "project"
	fieldName        = "name"
	fieldReason      = "reason"
	fieldPausedBy    = "paused_by"
	fieldCancelledBy = "cancelled_by"
	fieldCreated     = "created_at"
	fieldStarted     = "started_at"
	fieldPaused      = "paused_at"
	fieldFinished    = "finished_at"
	fieldEndLogged   = "end_logged"
)

// headFields are all fields but the message, which is long and not always needed.
var headFields = []string{
	fieldState, fieldOnAmbiguous, fieldDevices, fieldDedupe, fieldKind, fieldWeight, fieldPriority, fieldRate, fieldDeadline, fieldDerived,
	fieldStartAt, fieldWindows, fieldLocalTime, fieldTimeZone, fieldQuiet, fieldSource, fieldProject, fieldName, fieldReason, fieldPausedBy,
	fieldCancelledBy, fieldCreated, fieldStarted, fieldPaused, fieldFinished, fieldEndLogged,
}

var allFields = append(slices.Clone(headFields), fieldMessage, fieldEdition)

// HasDerivedDeadline reports whether the deadline follows from the times of the campaign.
func (s Spec) HasDerivedDeadline() bool {
	return !s.Deadline.IsZero() && s.Deadline.Equal(s.DerivedDeadline)
}

// requireMessage returns an error if the spec has no message.
func (s Spec) requireMessage() error {
	if len(s.Message) > 0 {
		return nil
	}
	return &SpecError{ID: s.ID, Field: fieldMessage, Problem: "is missing"}
}

// isBlank reports whether the hash has none of the requested fields.
func isBlank(values []any) bool {
	return !slices.ContainsFunc(values, func(value any) bool { return value != nil })
}

// parseSpec parses the values of fields. Its error is a *SpecError.
func parseSpec(id string, fields []string, values []any) (s Spec, err error) {
	s = Spec{ID: id, OnAmbiguous: Resend, Devices: AllDevices, Dedupe: DedupeAddress, Kind: Marketing, Weight: 1}
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

// set parses one field, and returns the problem as text.
func (s *Spec) set(field, value string) (problem string) {
	switch field {
	case fieldState:
		if s.State = State(value); !s.State.isValid() {
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
	case fieldDevices:
		if s.Devices = DevicePolicy(value); s.Devices != AllDevices && s.Devices != LatestDevice {
			return fmt.Sprintf("is %s, want %s or %s", shorten(value), AllDevices, LatestDevice)
		}
	case fieldDedupe:
		return s.setDedupe(value)
	case fieldKind:
		return s.setKind(value)
	case fieldWeight:
		return parseWithin(&s.Weight, value, 1, MaxWeight)
	case fieldPriority:
		return parseWithin(&s.Priority, value, 0, MaxPriority)
	case fieldRate:
		return parseValue(&s.Rate, value, ParseRate)
	case fieldDeadline:
		return parseValue(&s.Deadline, value, ParseDeadline)
	case fieldDerived:
		return parseValue(&s.DerivedDeadline, value, ParseDeadline)
	case fieldStartAt, fieldWindows, fieldLocalTime, fieldTimeZone, fieldQuiet:
		return s.setTime(field, value)
	case fieldSource:
		return parseValue(&s.Source, value, ParseSource)
	case fieldProject:
		return parseValue(&s.Project, value, ParseProject)
	case fieldName:
		s.Name = value
	case fieldReason:
		s.Reason = value
	case fieldPausedBy:
		s.PausedBy = value
	case fieldCancelledBy:
		s.CancelledBy = value
	case fieldCreated:
		s.CreatedAt = parseTime(value)
	case fieldStarted:
		s.StartedAt = parseTime(value)
	case fieldPaused:
		s.PausedAt = parseTime(value)
	case fieldFinished:
		s.FinishedAt = parseTime(value)
	case fieldEndLogged:
		s.endLogged = value != ""
	}
	return ""
}

// badState says what is wrong with a state, and what to do.
func badState(value string) string {
	if value == "" {
		return fmt.Sprintf("is missing: HSET it to %s, or to %s and start the campaign later", Running, Draft)
	}
	return fmt.Sprintf("is %s, want one of %v", shorten(value), States)
}

// shorten quotes a value of unknown origin for an error.
func shorten(value string) string {
	const most = 40
	if len(value) > most {
		value = value[:most] + "…"
	}
	return strconv.Quote(value)
}

// parseTime returns zero for an unreadable time: times are only displayed.
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

// The bounds of a campaign's weight, priority and rate.
const (
	MaxWeight   = 1000
	MaxPriority = 9
	MinRate     = 0.01 // a push in 100 s
	MaxRate     = 1e6  // pushes a second
)

// notBefore is the earliest deadline that is accepted. A deadline in seconds that is read as
// milliseconds lies in January 1970, and would expire every recipient at once.
var notBefore = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// parseWithin parses a whole number between two limits.
func parseWithin(field *int, value string, low, high int) (problem string) {
	n, err := strconv.Atoi(value)
	if err != nil || n < low || n > high {
		return fmt.Sprintf("is %s, want %d to %d", shorten(value), low, high)
	}
	*field = n
	return ""
}

// ParseRate parses a decimal number of pushes a second; "" means no cap. The error text follows
// the word "rate".
func ParseRate(value string) (float64, error) {
	if value == "" {
		return 0, nil
	}
	rate, err := strconv.ParseFloat(value, 64)
	if err != nil || math.IsNaN(rate) || rate < MinRate || rate > MaxRate {
		return 0, fmt.Errorf("is %s, want %v to %.0f pushes a second, such as 0.5", shorten(value), MinRate, MaxRate)
	}
	return rate, nil
}

// ParseDeadline parses a moment in RFC 3339 or in milliseconds since 1970; "" means none. The
// error text follows the word "deadline".
func ParseDeadline(value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at := parseTime(value)
	if at.Before(notBefore) {
		return time.Time{}, fmt.Errorf("is %s, want a moment from 2020 on, such as 2030-01-31T18:00:00+07:00, or milliseconds (not seconds) since 1970", shorten(value))
	}
	return at, nil
}

// maxProject is far above the 30 characters of a Firebase project's id.
const maxProject = 100

// ParseProject parses the id of a Firebase project; "" means none. The error text follows the
// word "project".
func ParseProject(value string) (string, error) {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:", r)
	}
	if len(value) > maxProject || strings.ContainsFunc(value, strange) {
		return "", fmt.Errorf("is %s, want the id of a Firebase project, such as my-project-1234", shorten(value))
	}
	return value, nil
}

// parseValue parses the value of a field, and returns the problem as text.
func parseValue[T any](field *T, value string, parse func(string) (T, error)) (problem string) {
	parsed, err := parse(value)
	if err != nil {
		return err.Error()
	}
	*field = parsed
	return ""
}

func formatRate(rate float64) string {
	if rate == 0 {
		return ""
	}
	return strconv.FormatFloat(rate, 'f', -1, 64)
}

func formatDeadline(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return strconv.FormatInt(at.UnixMilli(), 10)
}

// Earliest returns the first of the deadlines; zero ones are ignored.
func Earliest(deadlines ...time.Time) time.Time {
	var first time.Time
	for _, at := range deadlines {
		if !at.IsZero() && (first.IsZero() || at.Before(first)) {
			first = at
		}
	}
	return first
}

// SpecError names the field of a spec that cannot be used. Other campaigns are not affected.
type SpecError struct{ ID, Field, Problem string }

func (e *SpecError) Error() string {
	return fmt.Sprintf("spec of campaign %s: field %s %s", terminal.Printable(e.ID), e.Field, e.Problem)
}
