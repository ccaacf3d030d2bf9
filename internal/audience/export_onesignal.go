package audience

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"fanfare/internal/notification"
)

// The columns of OneSignal's export. Those of oneSignalNeeded must be there; the user's id and the
// types of notifications are only in exports that ask for them.
const (
	oneSignalToken     = "identifier"
	oneSignalType      = "device_type"
	oneSignalInvalid   = "invalid_identifier"
	oneSignalUser      = "external_user_id"
	oneSignalTypes     = "notification_types"
	oneSignalLanguage  = "language"
	oneSignalZone      = "timezone_id"
	oneSignalOffset    = "timezone" // seconds east of UTC
	oneSignalTags      = "tags"
	oneSignalCountry   = "country"
	oneSignalLastUse   = "last_active"
	oneSignalAndroid   = "1" // the only type whose identifier is an FCM token
	oneSignalExtraHint = "export it again with external_user_id, notification_types and timezone_id in extra_fields"
)

var oneSignalNeeded = []string{oneSignalToken, oneSignalType, oneSignalUser}

// oneSignalOptOuts are the notification_types of a user who opted out, in the app or through the
// REST API. Other values below 1 are faults and missing permissions of a device.
var oneSignalOptOuts = []string{"-2", "-30", "-31"}

// oneSignalReader reads rows, and their fields by name.
type oneSignalReader struct {
	rows   *csvReader
	header []string
	row    []string
}

func openOneSignal(lines *rowReader, text *bufio.Reader) (*Export, error) {
	lines.left = maxRow + readAhead
	r := &oneSignalReader{rows: &csvReader{source: lines, text: text, separator: ',', at: 1}}
	r.rows.begin(0)
	header, err := r.rows.rows.Read()
	_, unreadable := errors.AsType[*csv.ParseError](err)
	switch {
	case unreadable, errors.Is(err, io.EOF), errors.Is(err, errRowTooLong):
		return nil, &FileError{Problem: "it is no CSV export of OneSignal: its first line names no columns"}
	case err != nil:
		return nil, err
	}
	for _, name := range header {
		r.header = append(r.header, strings.TrimSpace(name))
	}
	if missing := missingColumns(r.header, oneSignalNeeded); missing != "" {
		return nil, &FileError{Problem: missing + ", which the CSV export of OneSignal has: " + oneSignalExtraHint}
	}
	r.rows.encoder.columns = make([]column, len(header))
	e := &Export{next: r.next, line: func() int { return r.rows.at }}
	if !slices.Contains(r.header, oneSignalTypes) {
		e.hints = []string{"without the column notification_types no one is known to have opted out: " + oneSignalExtraHint}
	}
	return e, nil
}

// field returns a field of the current row; "" if there is no such column.
func (r *oneSignalReader) field(name string) string {
	if i := slices.Index(r.header, name); i >= 0 {
		return strings.TrimSpace(r.row[i])
	}
	return ""
}

func (r *oneSignalReader) next() (Endpoint, error) {
	var err error
	if r.row, err = r.rows.read(); err != nil {
		return Endpoint{}, err
	}
	e := r.endpoint()
	if e.Reason == "" {
		if err := r.addTags(e.Profile); err != nil {
			return Endpoint{}, RowError{Line: r.rows.at, Problem: err.Error()}
		}
		addText(e.Profile, "locale", e.Device.Locale)
		addText(e.Profile, "timeZone", e.Device.TimeZone)
		addText(e.Profile, oneSignalCountry, r.field(oneSignalCountry))
	}
	return e, checkUser(e.UserID, r.rows.at)
}

// endpoint decides what a row is of use for.
func (r *oneSignalReader) endpoint() Endpoint {
	e := Endpoint{UserID: r.field(oneSignalUser), Profile: make(map[string]json.RawMessage)}
	types := r.field(oneSignalTypes)
	switch {
	case r.field(oneSignalType) != oneSignalAndroid:
		e.Reason = OtherChannel
	case e.UserID == "":
		e.Reason = NoUser
	case slices.Contains(oneSignalOptOuts, types):
		e.Reason = OptedOut
	case strings.HasPrefix(strings.ToLower(r.field(oneSignalInvalid)), "t"), types == "0", strings.HasPrefix(types, "-"):
		e.Reason = Inactive
	default:
		e.Device.Target, e.Reason = judgeAddress(r.field(oneSignalToken))
	}
	e.Device.Platform, e.Device.Locale, e.Device.TimeZone = "android", knownLocale(r.field(oneSignalLanguage)), r.zone()
	e.Device.LastSeen = notification.ParseLastSeen(strings.TrimSuffix(r.field(oneSignalLastUse), " UTC"))
	return e
}

// zone is the name of the zone, or the offset that was known last.
func (r *oneSignalReader) zone() string {
	if zone := knownZone(r.field(oneSignalZone)); zone != "" {
		return zone
	}
	seconds, err := strconv.Atoi(r.field(oneSignalOffset))
	if err != nil {
		return ""
	}
	return knownZone(time.Unix(0, 0).In(time.FixedZone("", seconds)).Format("-07:00"))
}

// addTags adds the tags, a JSON object.
func (r *oneSignalReader) addTags(profile map[string]json.RawMessage) error {
	text := r.field(oneSignalTags)
	if text == "" {
		return nil
	}
	var tags map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &tags); err != nil {
		return fmt.Errorf("tags is no JSON object: %w", err)
	}
	maps.Copy(profile, tags)
	return nil
}
