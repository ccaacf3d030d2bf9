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

func malformedf(format string, args ...any) error {
	return &MalformedError{Problem: fmt.Sprintf(format, args...)}
}

// Decode reads a result that we or another program wrote. It ignores unknown fields. Ids may be
// numbers, which keep their digits. A campaignId, a known status and a time are required. A result
// without a resultId gets one derived from its bytes, so its copies are recognised. The error is a
// *MalformedError.
func Decode(raw []byte) (notification.Result, error) {
	if !utf8.Valid(raw) {
		return notification.Result{}, malformedf("it is not valid UTF-8")
	}
	r, plain := scanPlain(string(raw))
	if !plain {
		var err error
		if r, err = decodeAny(raw); err != nil {
			return notification.Result{}, err
		}
	}
	if err := checkResult(&r); err != nil {
		return notification.Result{}, err
	}
	if err := cleanDevices(r.Devices); err != nil {
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

// cleanDevices checks the outcomes of devices, and clears what has no meaning in them.
func cleanDevices(devices []notification.DeviceResult) error {
	for i := range devices {
		d := &devices[i]
		if d.Status.Rank() == 0 {
			return malformedf("devices[%d].status %q is not one of %q", i, d.Status, notification.Statuses)
		}
		d.Attempts = bounds.Count(d.Attempts)
		if !d.TokenRemoved {
			d.Token = ""
		}
	}
	return nil
}

// DerivedID returns the id of an element that has none of its own.
func DerivedID(raw []byte) string {
	sum := sha256.Sum256(raw)
	return "raw-" + hex.EncodeToString(sum[:16])
}

func checkResult(r *notification.Result) error {
	switch {
	case r.CampaignID == "":
		return malformedf("campaignId is missing")
	case r.Status.Rank() == 0:
		return malformedf("status %q is not one of %q", r.Status, notification.Statuses)
	case r.At.IsZero():
		return malformedf("at is missing")
	case !bounds.Contains(r.At):
		return malformedf("at is not within the years 1970 to 9999")
	}
	for _, id := range []struct{ name, value string }{
		{"campaignId", r.CampaignID}, {"userId", r.UserID}, {"resultId", r.ResultID},
	} {
		if strings.IndexByte(id.value, 0) >= 0 {
			return malformedf("%s holds a NUL", id.name)
		}
	}
	return nil
}

// jsonResult is a result as encoding/json reads it.
type jsonResult struct {
	CampaignID   stringOrNumber              `json:"campaignId"`
	UserID       stringOrNumber              `json:"userId"`
	Status       notification.Status         `json:"status"`
	MessageID    string                      `json:"messageId"`
	ErrorCode    string                      `json:"errorCode"`
	Error        string                      `json:"error"`
	Attempts     int                         `json:"attempts"`
	TokenRemoved bool                        `json:"tokenRemoved"`
	Token        string                      `json:"fcmToken"`
	At           string                      `json:"at"`
	ResultID     string                      `json:"resultId"`
	Variant      string                      `json:"variant"`
	Locale       string                      `json:"locale"`
	Raw          []byte                      `json:"raw"`
	Devices      []notification.DeviceResult `json:"devices"`
}

// stringOrNumber is a string, or a number whose digits are kept.
type stringOrNumber string

func (i *stringOrNumber) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' || raw[0] == 'n' {
		return json.Unmarshal(raw, (*string)(i))
	}
	var digits json.Number
	if err := json.Unmarshal(raw, &digits); err != nil {
		return err
	}
	*i = stringOrNumber(digits)
	return nil
}

// decodeAny reads what scanPlain declines: escapes, white space, unknown fields, anything that
// Append does not write.
func decodeAny(raw []byte) (notification.Result, error) {
	var w jsonResult
	if err := json.Unmarshal(raw, &w); err != nil {
		return notification.Result{}, malformedf("%v", err)
	}
	r := notification.Result{
		CampaignID: string(w.CampaignID), UserID: string(w.UserID), Status: w.Status, MessageID: w.MessageID,
		ErrorCode: w.ErrorCode, Error: w.Error, Attempts: w.Attempts, TokenRemoved: w.TokenRemoved,
		Token: w.Token, ResultID: w.ResultID, Variant: w.Variant, Locale: w.Locale, Raw: w.Raw, Devices: w.Devices,
	}
	if w.At != "" {
		at, err := parseTime(w.At)
		if err != nil {
			return notification.Result{}, malformedf("at %q is not an RFC 3339 time", w.At)
		}
		r.At = at
	}
	return r, nil
}

func parseTime(s string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, s)
	return at.UTC(), err
}
