package webhooks

import (
	"encoding/json"
	"fmt"
	"time"

	"fanfare/internal/campaign"
	"fanfare/internal/notification"
)

// Event is something that happened to a campaign. ID is unique: a receiver that has seen it before
// leaves it out, because an event may come more than once.
type Event struct {
	ID       string    `json:"id"`
	Type     string    `json:"type"` // such as "campaign.completed"
	Campaign string    `json:"campaign"`
	At       time.Time `json:"at"`
	Who      string    `json:"who,omitempty"`
	Detail   string    `json:"detail,omitempty"` // a reason
	// Why says why a paused, held or refused campaign waits, and what to do, when the event is
	// sent. It is empty if the campaign no longer waits.
	Why []Reason `json:"why,omitempty"`
	// Books are the figures of a campaign that has ended, as they are when the event is sent.
	Books *campaign.Books `json:"books,omitempty"`
}

// Reason says why a campaign waits and what to do, in the words of the console and the command
// line.
type Reason struct {
	Kind     string `json:"kind"` // such as "tripped"
	Headline string `json:"headline"`
	Detail   string `json:"detail,omitempty"`
	// People are the recipients who wait because of it.
	People int64 `json:"people"`
	// EndsByItself reports whether no one has to act.
	EndsByItself bool   `json:"endsByItself,omitempty"`
	Next         string `json:"next,omitempty"` // what to do
}

// The types of events that stop a campaign for a while, and of those that end it.
const (
	typePaused    = "campaign.paused"
	typeHeld      = "campaign.held"
	typeRefused   = "campaign.start_refused"
	typeCompleted = "campaign.completed"
	typeExpired   = "campaign.expired"
	typeCancelled = "campaign.cancelled"
)

// types are the events by what a history says.
var types = map[string]string{
	"started": "campaign.started", "resumed": "campaign.resumed", "paused": typePaused,
	campaign.NoteHeld: typeHeld, campaign.NoteRefused: typeRefused, campaign.NoteReleased: "campaign.released",
	string(campaign.Completed): typeCompleted, string(campaign.Expired): typeExpired, string(campaign.Cancelled): typeCancelled,
}

// newEvent returns the event of an entry. ok is false for an entry that is none.
func newEvent(id string, entry notification.HistoryEntry) (e Event, ok bool) {
	kind, ok := types[entry.What]
	return Event{ID: id + "/" + entry.ID, Type: kind, Campaign: id, At: entry.At.UTC(), Who: entry.Who, Detail: entry.Detail}, ok
}

func (e Event) hasEnded() bool {
	return e.Type == typeCompleted || e.Type == typeExpired || e.Type == typeCancelled
}

func (e Event) isWaiting() bool {
	return e.Type == typePaused || e.Type == typeHeld || e.Type == typeRefused
}

func (e Event) encode() ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return body, nil
}
