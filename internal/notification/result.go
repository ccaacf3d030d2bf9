package notification

import (
	"slices"
	"time"
)

// Status is the final status of a recipient.
type Status string

// Each recipient ends in exactly one of these.
const (
	// StatusSent: FCM accepted the message.
	StatusSent Status = "sent"
	// StatusFailed: FCM or Fanfare refused the recipient for good.
	StatusFailed Status = "failed"
	// StatusSkipped: nothing was sent, because there was no address, the message had no text for
	// this recipient, or another element has the address.
	StatusSkipped Status = "skipped"
	// StatusExpired: the campaign's deadline passed first.
	StatusExpired Status = "expired"
	// StatusUnknown: FCM may or may not have accepted a request, and the campaign forbids repeating
	// it.
	StatusUnknown Status = "unknown"
)

// Statuses lists every Status in ascending rank.
var Statuses = []Status{StatusUnknown, StatusExpired, StatusSkipped, StatusFailed, StatusSent}

// Rank orders the statuses by how much they say. A stored status is replaced only by one of a
// higher rank. So results that arrive twice or out of order never lose knowledge. An invalid status
// has rank 0.
func (s Status) Rank() int {
	for i, known := range Statuses {
		if s == known {
			return i + 1
		}
	}
	return 0
}

// Fanfare's own codes. A Result's ErrorCode is one of these or FCM's.
const (
	CodeMalformed      = "MALFORMED"         // the producer's element is unreadable
	CodeOversize       = "OVERSIZE"          // the producer's element is above the size limit
	CodeNoToken        = "NO_TOKEN"          // no token in the element, in Redis or in SQL
	CodeInvalidToken   = "INVALID_TOKEN"     // the token is a text that FCM cannot have issued
	CodeDuplicate      = "DUPLICATE"         // another element has the address or the user
	CodeUnfilled       = "UNFILLED"          // a placeholder has neither value nor default
	CodeInvalidValue   = "INVALID_VALUE"     // a placeholder's value breaks a field that FCM checks
	CodeTooLarge       = "MESSAGE_TOO_LARGE" // over 4,096 bytes after filling
	CodeDeadline       = "DEADLINE"          // the campaign's deadline had passed
	CodeHoldout        = "HOLDOUT"           // the user is in the campaign's hold-out group
	CodeSuppressed     = "SUPPRESSED"        // the user is in the set of suppressed users
	CodeCapped         = "CAPPED"            // the user has had as many pushes as the caps allow
	CodeMoved          = "MOVED"             // of a device's token: its app has moved to an installation ID
	CodeOutcomeUnknown = "OUTCOME_UNKNOWN"   // sent without an answer, or the sender died
	CodeGaveUp         = "RETRIES_EXHAUSTED" // the last attempt could be retried, but it reached the limit
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
	ResultID     string    `json:"resultId"`           // the same for every copy of one outcome
	Raw          []byte    `json:"raw,omitempty"`      // the element itself, only if it was unreadable
	// Variant names the text that the user gets, in a campaign with variants.
	Variant string `json:"variant,omitempty"`
	// Locale is the language of the text, as the campaign spells it. It is empty for the base
	// language. If the user has several devices, it is that of the best one.
	Locale string `json:"locale,omitempty"`
	// Devices has the outcome of each device, if the user has several. The fields above are those
	// of the best one.
	Devices []DeviceResult `json:"devices,omitempty"`
}

// RemoveTokens clears the removed addresses, for records that people read.
func (r *Result) RemoveTokens() {
	r.Token = ""
	if len(r.Devices) == 0 {
		return
	}
	r.Devices = slices.Clone(r.Devices)
	for i := range r.Devices {
		r.Devices[i].Token = ""
	}
}

// DeviceResult is what happened to one device of a recipient.
type DeviceResult struct {
	Address      string `json:"address"` // abbreviated, as in logs
	Kind         string `json:"kind"`    // "token" or "fid"
	Platform     string `json:"platform,omitempty"`
	Status       Status `json:"status"`
	MessageID    string `json:"messageId,omitempty"`
	ErrorCode    string `json:"errorCode,omitempty"`
	Attempts     int    `json:"attempts"`
	TokenRemoved bool   `json:"tokenRemoved,omitempty"`
	Token        string `json:"fcmToken,omitempty"` // the removed address, only with TokenRemoved
	Locale       string `json:"locale,omitempty"`   // the language of its text; empty for the base
}

// CodeOther stands for the codes beyond MaxCodes in counts. A result always keeps its own code.
const CodeOther = "OTHER"

// MaxCodes is how many distinct codes are counted by name: those of the lists below, MaxRareCodes
// others, and CodeOther.
const (
	MaxCodes     = 64
	MaxRareCodes = 24
)

// Fanfare's codes and the documented codes of FCM and Google's APIs. Other codes may be new or
// garbage, in any number.
var (
	ownCodes = []string{
		CodeMalformed, CodeOversize, CodeNoToken, CodeInvalidToken, CodeDuplicate, CodeUnfilled, CodeInvalidValue, CodeTooLarge, CodeDeadline, CodeMoved, CodeHoldout,
		CodeSuppressed, CodeCapped, CodeOutcomeUnknown, CodeGaveUp, CodeOther,
	}
	fcmCodes = []string{
		"UNSPECIFIED_ERROR", "INVALID_ARGUMENT", "UNREGISTERED", "SENDER_ID_MISMATCH", "QUOTA_EXCEEDED", "UNAVAILABLE",
		"INTERNAL", "THIRD_PARTY_AUTH_ERROR", "APNS_AUTH_ERROR",
	}
	googleCodes = []string{
		"CANCELLED", "UNKNOWN", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "UNAUTHENTICATED",
		"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "DATA_LOSS",
	}
	commonCodes = toSet(slices.Concat(ownCodes, fcmCodes, googleCodes))
)

func toSet(words []string) map[string]bool {
	set := make(map[string]bool, len(words))
	for _, word := range words {
		set[word] = true
	}
	return set
}

// IsRareCode reports whether a code is on none of the lists. Only MaxRareCodes of these are counted
// by name.
func IsRareCode(code string) bool { return code != "" && !commonCodes[code] }
