package notification

import "time"

// Status is how a recipient ended.
type Status string

// A recipient ends in exactly one of these.
const (
	// StatusSent: FCM accepted the message.
	StatusSent Status = "sent"
	// StatusFailed: FCM, or we, refused it for good.
	StatusFailed Status = "failed"
	// StatusSkipped: nothing was sent, because there was nobody to send to or nothing to say.
	StatusSkipped Status = "skipped"
	// StatusExpired: the campaign's deadline came first.
	StatusExpired Status = "expired"
	// StatusUnknown: a request may or may not have been accepted, and the campaign forbids to repeat it.
	StatusUnknown Status = "unknown"
)

// Statuses lists every Status in ascending rank.
var Statuses = []Status{StatusUnknown, StatusExpired, StatusSkipped, StatusFailed, StatusSent}

// Rank orders the statuses by how much is known: a stored status is replaced only by one of a higher rank, so that
// results which arrive twice or out of order never take knowledge away. An invalid status has rank 0.
func (s Status) Rank() int {
	for i, known := range Statuses {
		if s == known {
			return i + 1
		}
	}
	return 0
}

// Codes of our own, beside FCM's. A Result's ErrorCode is one of these or FCM's word for it.
const (
	CodeMalformed      = "MALFORMED"         // the producer's element cannot be read
	CodeOversize       = "OVERSIZE"          // the producer's element is above the size limit
	CodeNoToken        = "NO_TOKEN"          // no token in the element, in Redis or in SQL
	CodeInvalidToken   = "INVALID_TOKEN"     // what stands for the token is a text that FCM cannot have issued
	CodeUnfilled       = "UNFILLED"          // a placeholder has neither value nor default
	CodeTooLarge       = "MESSAGE_TOO_LARGE" // over 4,096 bytes after filling
	CodeDeadline       = "DEADLINE"          // the campaign's deadline had passed
	CodeOutcomeUnknown = "OUTCOME_UNKNOWN"   // sent, but no answer came; or the sender died
	CodeGaveUp         = "RETRIES_EXHAUSTED" // retryable to the last, but the limit was reached
)

// Result is one element of notification:responses. Its JSON form is part of the contract.
type Result struct {
	CampaignID   string    `json:"campaignId"`
	UserID       string    `json:"userId"`
	Status       Status    `json:"status"`
	MessageID    string    `json:"messageId,omitempty"`
	ErrorCode    string    `json:"errorCode,omitempty"`
	Error        string    `json:"error,omitempty"`
	Attempts     int       `json:"attempts"`
	TokenRemoved bool      `json:"tokenRemoved,omitempty"`
	Token        string    `json:"fcmToken,omitempty"` // the removed token, only with TokenRemoved
	At           time.Time `json:"at"`                 // UTC, written with milliseconds
	ResultID     string    `json:"resultId"`           // the same for every copy of the same outcome
	Raw          []byte    `json:"raw,omitempty"`      // the element itself, only when it could not be read
}
