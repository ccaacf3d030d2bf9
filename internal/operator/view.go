package operator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"fanfare/internal/breaker"
	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/terminal"
)

// View is everything that is displayed of a campaign.
type View struct {
	Spec  campaign.Spec // its State is "" without a spec
	Books campaign.Books
	// Breaker describes FCM's recent answers. It is Known only for a campaign that has begun, and
	// only from Show; a list knows its Paused platforms alone.
	Breaker breaker.State
	// Undelivered says why results stay in the campaign's outbox: a key of another type blocks
	// them. Only from Show.
	Undelivered error
	// Hold says what stops this campaign. A caller that knows the project's pace adds what stops
	// the project: see FindHold.
	Hold *Hold
	// Reasons are why the campaign, or a part of it, does not move. Only from Explain.
	Reasons []Reason
	// Written says how many outcomes are in SQL; nil without SQL. Only from Explain.
	Written *Written
	// Due says when the recipients in the due set of a campaign with time rules are due. Only from
	// Show.
	Due []DueSlot
	// KeptBack counts the recipients of platforms on hold; nil if none is on hold, or if that
	// cannot be read.
	KeptBack *KeptBack
	// Unfit is the plan for which the scheduled start of a draft is refused, now that its time has
	// come; nil if it is not. Only from Explain.
	Unfit *WavePlan
	// Waves is when the recipients of a campaign with time rules are sent to; nil: unknown. A
	// caller that knows the pace sets it.
	Waves *WavePlan
	// Forecast is the rate and the remaining time; nil if unknown. Only from Explain.
	Forecast *Forecast
	// History are the newest entries of its history, if a caller reads them. The oldest is first.
	History []notification.HistoryEntry
	Err     error // why the campaign cannot be sent as it is; nil if it can. See Broken

	choices *messageChoices // of the message; nil: not read yet
}

// newView reads the message, once for everything that is displayed of it. err is why the spec
// cannot be read.
func newView(spec campaign.Spec, books campaign.Books, err error) View {
	compiled, problem := content.Compile(spec.Message)
	choices := choicesOf(compiled, problem)
	return View{Spec: spec, Books: books, Err: cmp.Or(err, sendProblem(spec, problem)), choices: &choices}
}

// Losses lists recipients that are missing or were not loaded, unless the campaign's reason says
// so already.
func (v View) Losses() []campaign.Loss {
	if v.Spec.State.HasEnded() && v.Spec.Reason != "" {
		return nil
	}
	return v.Books.Losses(v.Spec)
}

// MarshalJSON writes the message as JSON, not as a string.
func (v View) MarshalJSON() ([]byte, error) {
	s, problem, stored := v.Spec, v.Problem(), campaign.State("")
	var faults []string
	if v.Err != nil {
		stored = s.State
		for _, fault := range notification.FaultsOf(v.Err) {
			faults = append(faults, fault.Error())
		}
	}
	message := json.RawMessage(s.Message)
	if !json.Valid(message) {
		message, _ = json.Marshal(string(s.Message)) // an application wrote it; a string always marshals
	}
	if len(s.Message) == 0 {
		message = nil
	}
	devices := s.Devices
	if devices == campaign.AllDevices {
		devices = ""
	}
	dedupe := s.Dedupe
	if dedupe == campaign.DedupeAddress {
		dedupe = ""
	}
	kind := s.Kind
	if kind == campaign.Marketing {
		kind = ""
	}
	return json.Marshal(struct {
		ID          string                      `json:"id"`
		Name        string                      `json:"name,omitempty"`
		State       campaign.State              `json:"state"`
		Stored      campaign.State              `json:"storedState,omitempty"`
		Reason      string                      `json:"reason,omitempty"`
		CancelledBy string                      `json:"cancelledBy,omitempty"`
		OnAmbiguous campaign.OnAmbiguous        `json:"onAmbiguous,omitempty"`
		Devices     campaign.DevicePolicy       `json:"devices,omitempty"` // unless all
		Dedupe      campaign.Dedupe             `json:"dedupe,omitempty"`  // unless address
		Kind        campaign.Kind               `json:"kind,omitempty"`    // unless marketing
		Weight      int                         `json:"weight,omitempty"`
		Priority    int                         `json:"priority,omitempty"`
		Rate        float64                     `json:"rate,omitempty"`
		Deadline    time.Time                   `json:"deadline,omitzero"`
		Derived     bool                        `json:"deadlineDerived,omitempty"`
		StartAt     time.Time                   `json:"startAt,omitzero"`
		Windows     []string                    `json:"windows,omitempty"`
		LocalTime   string                      `json:"localTime,omitempty"`
		TimeZone    string                      `json:"timeZone,omitempty"`
		QuietHours  string                      `json:"quietHours,omitempty"`
		Due         []DueSlot                   `json:"due,omitempty"`
		Waves       *WavePlan                   `json:"waves,omitempty"`
		CreatedAt   time.Time                   `json:"createdAt,omitzero"`
		StartedAt   time.Time                   `json:"startedAt,omitzero"`
		FinishedAt  time.Time                   `json:"finishedAt,omitzero"`
		Source      *sourceView                 `json:"source,omitempty"`
		Project     string                      `json:"project,omitempty"`
		Message     json.RawMessage             `json:"message,omitempty"`
		Books       campaign.Books              `json:"books"`
		Ambiguous   Ambiguous                   `json:"ambiguous"`
		Breaker     *breaker.State              `json:"breaker,omitempty"`
		Why         []Reason                    `json:"why,omitempty"`
		Written     *Written                    `json:"written,omitempty"`
		Forecast    *Forecast                   `json:"forecast,omitempty"`
		History     []notification.HistoryEntry `json:"history,omitempty"`
		Faults      []string                    `json:"faults,omitempty"`
		Losses      []campaign.Loss             `json:"losses,omitempty"`
		Error       string                      `json:"error,omitempty"`
	}{
		s.ID, s.Name, v.State(), stored, cmp.Or(s.Reason, problem), s.CancelledBy, s.OnAmbiguous, devices, dedupe, kind, s.Weight, s.Priority, s.Rate, v.Deadline(), v.IsDeadlineDerived(), s.StartAt, s.Windows.Texts(), s.LocalTime.String(), s.TimeZone, s.QuietHours.String(), v.Due, v.Waves, s.CreatedAt, s.StartedAt, s.FinishedAt,
		v.source(), s.Project, message, v.Books, v.Ambiguous(), v.breaker(), v.Reasons, v.Written, v.Forecast, v.History, faults,
		v.Books.Losses(s), problem,
	})
}

// breaker returns nil if nothing is known.
func (v View) breaker() *breaker.State {
	if !v.Breaker.Known {
		return nil
	}
	return &v.Breaker
}

// Deadline returns the moment after which no one is sent to: the campaign's own or the list's,
// whichever is earlier.
func (v View) Deadline() time.Time { return campaign.Earliest(v.Spec.Deadline, v.ListDeadline()) }

// IsDeadlineDerived reports whether the deadline follows from the times of the campaign.
func (v View) IsDeadlineDerived() bool {
	return v.Spec.HasDerivedDeadline() && v.Deadline().Equal(v.Spec.Deadline)
}

// ListDeadline returns the list's deadline. It is zero if there is none, or if the campaign's own
// goes before it.
func (v View) ListDeadline() time.Time { return v.Books.ListDeadline(v.Spec.Deadline) }

// Broken is the displayed state of a campaign that cannot be sent as it is. It is never stored.
const Broken campaign.State = "broken"

// State returns the state to display: Broken instead of a stored state that cannot continue, and
// Scheduled for a draft that starts by itself.
func (v View) State() campaign.State {
	if v.Err != nil {
		return Broken
	}
	if v.Spec.IsScheduled() {
		return campaign.Scheduled
	}
	return v.Spec.State
}

// Problem says why the campaign is broken; "" if it is not.
func (v View) Problem() string {
	if v.Err == nil {
		return ""
	}
	return v.Err.Error()
}

// MessageError says that no dispatcher can send a campaign's message, and lists all of its
// faults.
type MessageError struct {
	ID     string
	Faults notification.Faults
}

func (e *MessageError) Error() string {
	return fmt.Sprintf("message of campaign %s: %v", terminal.Printable(e.ID), e.Faults)
}

func (e *MessageError) Unwrap() error { return e.Faults }

// CheckSendable returns a *MessageError if the message cannot be sent. An ended campaign always
// passes.
func CheckSendable(s campaign.Spec) error {
	if s.State.HasEnded() {
		return nil
	}
	_, err := content.Compile(s.Message)
	return sendProblem(s, err)
}

// sendProblem is CheckSendable for an error of the message.
func sendProblem(s campaign.Spec, err error) error {
	if s.State.HasEnded() {
		return nil
	}
	if faults := notification.FaultsOf(err); len(faults) > 0 {
		return &MessageError{ID: s.ID, Faults: faults}
	}
	return err
}

// Oddity counts ended recipients with something of their own that could not be used.
type Oddity struct {
	Subject string // what it is of theirs
	N       int64
	What    string // what they had, and what was used instead, after "3 recipients"
}

// Oddities lists what could not be used, without what did not occur.
func (v View) Oddities() []Oddity {
	b := v.Books
	return slices.DeleteFunc([]Oddity{
		{"zones", b.BadZones, "had a time zone that is unknown; the campaign's was used"},
		{"locales", b.BadLocales, "had a locale that names no language; the user's other one, the profile's or the base language was used"},
		{"quiet hours", b.BadQuietHours, "had quiet hours that cannot be read; the campaign's were used"},
	}, func(o Oddity) bool { return o.N == 0 })
}

// Ambiguous counts recipients that may or may not have been sent to at some moment.
type Ambiguous struct {
	// Unanswered counts the requests without a readable answer. Each was sent again or reported
	// as unknown.
	Unanswered int64 `json:"unanswered"`
	// Resent counts those that were sent again, or wait for it.
	Resent int64 `json:"resent"`
	// Lost counts how often a sender stopped without recording an outcome. With on_ambiguous:
	// report these recipients end as unknown.
	Lost int64 `json:"lost"`
	// PossibleDuplicates is the highest number of messages that may have arrived twice.
	PossibleDuplicates int64 `json:"possibleDuplicates"`
	// Unknown counts the recipients that ended as unknown.
	Unknown int64 `json:"unknown"`
}

// Ambiguous derives the uncertain figures from the books.
func (v View) Ambiguous() Ambiguous {
	b := v.Books
	a := Ambiguous{
		Unanswered: b.Resent + b.Unknown, Resent: b.Resent, Lost: b.Lost, PossibleDuplicates: b.Resent, Unknown: b.Unknown,
	}
	if v.Spec.OnAmbiguous == campaign.Resend {
		a.PossibleDuplicates += b.Lost
	}
	return a
}
