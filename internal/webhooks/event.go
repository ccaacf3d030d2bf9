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
	// Books are the figures of a campaign that has ended, as they are when the event is sent.
	Books *campaign.Books `json:"books,omitempty"`
}

// The types of events that end a campaign.
const (
	typeCompleted = "campaign.completed"
	typeExpired   = "campaign.expired"
	typeCancelled = "campaign.cancelled"
)

// types are the events by what a history says.
var types = map[string]string{
	"started": "campaign.started", "resumed": "campaign.resumed", "paused": "campaign.paused",
	campaign.NoteHeld: "campaign.held", campaign.NoteReleased: "campaign.released",
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

func (e Event) encode() ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	return body, nil
}
