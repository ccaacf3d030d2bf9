package operator

import "time"

// ReasonKind says what kind of thing keeps a campaign, or a part of it, from moving.
type ReasonKind string

// Kinds of reasons, from what a person must fix to what ends by itself.
const (
	ReasonBroken       ReasonKind = "broken"        // the spec or the message cannot be sent
	ReasonLoss         ReasonKind = "loss"          // recipients are missing or not loaded
	ReasonUnassigned   ReasonKind = "project"       // no dispatcher may take it, or none of its project runs
	ReasonNoDispatcher ReasonKind = "no_dispatcher" // no dispatcher that may take it is running
	ReasonNoResponder  ReasonKind = "no_responder"  // results wait, and no responder is running
	ReasonTripped      ReasonKind = "tripped"       // a breaker paused it
	ReasonPaused       ReasonKind = "paused"        // a person paused it
	ReasonDraft        ReasonKind = "draft"         // not started
	ReasonScheduled    ReasonKind = "scheduled"     // it starts by itself
	ReasonNoAudience   ReasonKind = "no_audience"   // it runs, and has no recipients yet
	ReasonWindows      ReasonKind = "windows"       // recipients wait for their windows
	ReasonNoMessage    ReasonKind = "no_message"    // a list without a spec
	ReasonHalt         ReasonKind = "halt"          // the project is halted
	ReasonUndelivered  ReasonKind = "undelivered"   // results cannot leave the outbox
	ReasonGate         ReasonKind = "gate"          // FCM answered 429, or a person closed it for a while
	ReasonQuarterHour  ReasonKind = "quarter_hour"  // the minutes around a quarter hour are avoided
	ReasonNoAnswers    ReasonKind = "no_answers"    // pushes get no answers from FCM
	ReasonPriority     ReasonKind = "priority"      // a campaign of higher priority goes first
	ReasonPlatform     ReasonKind = "platform"      // a platform is on hold
	ReasonRate         ReasonKind = "rate"          // its own rate
	ReasonQuota        ReasonKind = "quota"         // the project's quota, which it may share
	ReasonClockBack    ReasonKind = "clock_back"    // Redis' clock was set back
	ReasonFCMErrors    ReasonKind = "fcm_errors"    // FCM answers most pushes with an error
	ReasonLookups      ReasonKind = "lookups"       // tokens or profiles cannot be looked up
	ReasonRedisWrites  ReasonKind = "redis_writes"  // outcomes cannot be written to Redis, which may be full
	ReasonSQLWrites    ReasonKind = "sql_writes"    // results cannot be written to SQL
	ReasonWarning      ReasonKind = "warning"       // a process reports another fault
	ReasonLoadHeld     ReasonKind = "load_held"     // the loader waits until recipients are sent
	ReasonRetriesLater ReasonKind = "retries_later" // many retries wait, or only they are left
)

// Action is what a person can do about a reason. The command line names a command, the console
// shows a button.
type Action string

// Actions on the campaign, its project or its quota. ActionNone: there is nothing to do.
const (
	ActionNone          Action = ""
	ActionStart         Action = "start"
	ActionResume        Action = "resume"
	ActionEdit          Action = "edit"
	ActionResumeProject Action = "resume_project"
	ActionOpenGate      Action = "open_gate"
	ActionInvestigate   Action = "investigate"
)

// Reason says why a campaign, or a part of it, does not move, and what ends that.
type Reason struct {
	Kind ReasonKind `json:"kind"`
	// Headline is a phrase such as "iOS is on hold"; Detail continues it.
	Headline string `json:"headline"`
	Detail   string `json:"detail,omitempty"`
	// Stops reports whether nothing of the campaign moves, rather than a part of it.
	Stops bool `json:"stops"`
	// People are the recipients who wait because of it.
	People int64     `json:"people"`
	By     string    `json:"by,omitempty"` // who stopped it, if someone did
	Since  time.Time `json:"since,omitzero"`
	Until  time.Time `json:"until,omitzero"` // when it ends by itself, if that is known
	// EndsByItself reports whether no one has to act.
	EndsByItself bool   `json:"endsByItself,omitempty"`
	Action       Action `json:"action,omitempty"`
	Next         string `json:"next,omitempty"` // the same for the command line, or in words
}

// Title is the headline, and how long ago a pause was: "Paused by ops 12 min ago". A zero now
// leaves that out.
func (r Reason) Title(now time.Time) string {
	if !r.isPause() || r.Since.IsZero() || now.IsZero() {
		return r.Headline
	}
	return r.Headline + " " + Ago(r.Since, now)
}

// When says until or since when the reason holds, as format writes moments, unless Title says it.
// It begins with a blank; "" if neither is known.
func (r Reason) When(format func(time.Time) string) string {
	switch {
	case !r.Until.IsZero():
		return " until " + format(r.Until)
	case !r.Since.IsZero() && !r.isPause():
		return " since " + format(r.Since)
	}
	return ""
}

func (r Reason) isPause() bool { return r.Kind == ReasonPaused || r.Kind == ReasonTripped }
