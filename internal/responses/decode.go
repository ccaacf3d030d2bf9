package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"fanfare/internal/bounds"
	"fanfare/internal/notification"
)

// MalformedError says why an element of the list of responses is no result.
type MalformedError struct{ Problem string }

func (e *MalformedError) Error() string { return "malformed result: " + e.Problem }

func malformed(format string, args ...any) error {
	return &MalformedError{Problem: fmt.Sprintf(format, args...)}
}

// Decode reads a result that we or another program wrote. Unknown fields are ignored; ids may be numbers, which keep
// their digits. A campaignId, a known status and a time are demanded. A result without a resultId gets one that is
// derived from its bytes, so that its copies are recognised. The error is a *MalformedError.
func Decode(raw []byte) (notification.Result, error) {
	if !utf8.Valid(raw) {
		return notification.Result{}, malformed("it is not valid UTF-8")
	}
	r, plain := scanPlain(string(raw))
	if !plain {
		var err error
		if r, err = decodeAny(raw); err != nil {
			return notification.Result{}, err
		}
	}
	if err := check(&r); err != nil {
		return notification.Result{}, err
	}
	r.Attempts = bounds.Count(r.Attempts)
	if !r.TokenRemoved {
		r.Token = ""
	}
	if r.ResultID == "" {
		r.ResultID = DerivedID(raw)
	}
	return r, nil
}

// DerivedID stands for an element that names itself not.
func DerivedID(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "raw-" + hex.EncodeToString(sum[:16])
}

func check(r *notification.Result) error {
	switch {
	case r.CampaignID == "":
		return malformed("campaignId is missing")
	case r.Status.Rank() == 0:
		return malformed("status %q is none of %q", r.Status, notification.Statuses)
	case r.At.IsZero():
		return malformed("at is missing")
	case !bounds.Contains(r.At):
		return malformed("at is not within the years 1970 to 9999")
	}
	for _, id := range []struct{ name, value string }{
		{"campaignId", r.CampaignID}, {"userId", r.UserID}, {"resultId", r.ResultID},
	} {
		if strings.IndexByte(id.value, 0) >= 0 {
			return malformed("%s holds a NUL", id.name)
		}
	}
	return nil
}

// wire is a result as encoding/json reads it.
type wire struct {
	CampaignID   id                  `json:"campaignId"`
	UserID       id                  `json:"userId"`
	Status       notification.Status `json:"status"`
	MessageID    string              `json:"messageId"`
	ErrorCode    string              `json:"errorCode"`
	Error        string              `json:"error"`
	Attempts     int                 `json:"attempts"`
	TokenRemoved bool                `json:"tokenRemoved"`
	Token        string              `json:"fcmToken"`
	At           string              `json:"at"`
	ResultID     string              `json:"resultId"`
	Raw          []byte              `json:"raw"`
}

// id is a string, or a number whose digits are kept.
type id string

func (i *id) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' || raw[0] == 'n' {
		return json.Unmarshal(raw, (*string)(i))
	}
	var digits json.Number
	if err := json.Unmarshal(raw, &digits); err != nil {
		return err
	}
	*i = id(digits)
	return nil
}

// decodeAny reads what scanPlain declines: escapes, white space, unknown fields, anything that is not what Append writes.
func decodeAny(raw []byte) (notification.Result, error) {
	var w wire
	if err := json.Unmarshal(raw, &w); err != nil {
		return notification.Result{}, malformed("%v", err)
	}
	r := notification.Result{
		CampaignID: string(w.CampaignID), UserID: string(w.UserID), Status: w.Status, MessageID: w.MessageID,
		ErrorCode: w.ErrorCode, Error: w.Error, Attempts: w.Attempts, TokenRemoved: w.TokenRemoved,
		Token: w.Token, ResultID: w.ResultID, Raw: w.Raw,
	}
	if w.At != "" {
		at, err := parseTime(w.At)
		if err != nil {
			return notification.Result{}, malformed("at %q is not an RFC 3339 time", w.At)
		}
		r.At = at
	}
	return r, nil
}

func parseTime(s string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, s)
	return at.UTC(), err
}
