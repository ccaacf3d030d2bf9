package notification

import "time"

// HistoryEntry is one thing that happened to a campaign: who did what, and when.
type HistoryEntry struct {
	ID     string    `json:"id"`   // unique in the campaign, and ordered by time
	At     time.Time `json:"at"`   // Redis' clock, in ms
	What   string    `json:"what"` // such as "paused"
	Who    string    `json:"who,omitempty"`
	Detail string    `json:"detail,omitempty"` // a reason, or what was changed
	N      int64     `json:"n,omitempty"`      // of recipients, letters or outcomes, where What counts some
}
