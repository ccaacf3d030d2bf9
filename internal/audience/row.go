package audience

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"fanfare/internal/campaign"
	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/schedule"
	"fanfare/internal/terminal"
)

// rowEncoder converts rows of named columns to elements. It refuses the fields that
// campaign.DecodeRecipient would refuse. That costs a tenth of decoding each element again.
type rowEncoder struct {
	columns   []column
	addresses bool // see Options
	limit     int
	vars      map[string]json.RawMessage // of the current row
	values    []byte                     // backing array of the vars
}

func newRowEncoder(columns []column, o Options) rowEncoder {
	return rowEncoder{columns: columns, addresses: o.StrictAddresses, limit: o.MaxElement, vars: make(map[string]json.RawMessage)}
}

// encode appends the element of a row to dst. It returns a RowError if the row is not a recipient.
func (e *rowEncoder) encode(dst []byte, row []string, line int) ([]byte, error) {
	r, err := e.recipient(row)
	if err != nil {
		return dst, RowError{Line: line, Problem: err.Error()}
	}
	return e.write(dst, r, line)
}

// write appends the element of a recipient, unless it is too long.
func (e *rowEncoder) write(dst []byte, r notification.Recipient, line int) ([]byte, error) {
	start := len(dst)
	dst = campaign.EncodeRecipient(dst, r)
	if err := checkSize(dst[start:], e.limit, line); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// recipient parses one row. Its strings and vars are valid until the next one.
func (e *rowEncoder) recipient(row []string) (r notification.Recipient, err error) {
	clear(e.vars)
	e.values = e.values[:0]
	var fid, token notification.Target
	for i, value := range row {
		column := &e.columns[i]
		if !utf8.ValidString(value) {
			return r, fmt.Errorf("%s is not valid UTF-8", terminal.Printable(column.name))
		}
		switch column.kind {
		case columnUser:
			r.UserID = strings.TrimSpace(value)
		case columnToken:
			token = notification.ParseToken(value)
		case columnFID:
			fid = notification.ParseFID(value)
		case columnTag:
			r.Tag = strings.TrimSpace(value)
		case columnLocale:
			r.Locale = strings.TrimSpace(value)
		case columnTimeZone:
			r.TimeZone = strings.TrimSpace(value)
		case columnQuiet:
			r.QuietHours = strings.TrimSpace(value)
		case columnPlatform:
			r.Platform = strings.TrimSpace(value)
		case columnVar:
			if value != "" {
				e.vars[column.name] = e.literal(value)
			}
		}
	}
	if problem := AddressProblem(fid, token); e.addresses && problem != "" {
		return r, errors.New(problem)
	}
	campaign.UseAddresses(&r, fid, token)
	if len(r.Tag) > campaign.MaxTag {
		return r, fmt.Errorf("tag is longer than %d bytes", campaign.MaxTag)
	}
	r.Vars = e.vars
	if err := checkUserID(r.UserID); err != nil {
		return r, err
	}
	return r, cmp.Or(checkLocales(r), checkQuiet(r))
}

// addVar adds a var to the current row, a text or JSON. Its text is used until the next row.
func (e *rowEncoder) addVar(name, text string, isJSON bool) error {
	switch {
	case !utf8.ValidString(text):
		return fmt.Errorf("%s is not valid UTF-8", terminal.Printable(name))
	case isJSON:
		e.vars[name] = json.RawMessage(text)
	default:
		e.vars[name] = e.literal(text)
	}
	return nil
}

// checkLocales refuses locales that name no language. Their users would get the base language.
func checkLocales(r notification.Recipient) error {
	if problem := content.LocaleProblem(r.Locale); problem != "" {
		return errors.New(problem)
	}
	for i, d := range r.Devices {
		if problem := content.LocaleProblem(d.Locale); problem != "" {
			return fmt.Errorf("devices[%d]: %s", i, problem)
		}
	}
	return nil
}

// checkQuiet refuses quiet hours that the dispatcher could not read.
func checkQuiet(r notification.Recipient) error {
	if r.QuietHours == "" {
		return nil
	}
	if _, err := schedule.ParseQuiet(r.QuietHours); err != nil {
		return fmt.Errorf("quietHours %w", err)
	}
	return nil
}

// literal encodes a value as JSON.
func (e *rowEncoder) literal(value string) json.RawMessage {
	start := len(e.values)
	if needsEscape(value) {
		text, _ := json.Marshal(value) // a string always marshals
		e.values = append(e.values, text...)
	} else {
		e.values = append(append(append(e.values, '"'), value...), '"')
	}
	return json.RawMessage(e.values[start:len(e.values):len(e.values)])
}

func needsEscape(value string) bool {
	for i := range len(value) {
		if c := value[i]; c < ' ' || c == '"' || c == '\\' {
			return true
		}
	}
	return false
}

func checkUserID(id string) error {
	switch {
	case id == "":
		return errors.New("userId is empty")
	case len(id) > campaign.MaxUserID:
		return fmt.Errorf("userId is longer than %d bytes", campaign.MaxUserID)
	case strings.ContainsRune(id, 0):
		return errors.New("userId holds a NUL")
	case strings.ContainsRune(id, utf8.RuneError): // UTF-16 that was cut, or an earlier conversion
		return errors.New("userId holds U+FFFD, in place of a character that was lost: export it again as UTF-8")
	}
	if problem := spreadsheetProblem(id); problem != "" {
		return errors.New(problem)
	}
	return nil
}

// AddressProblem says why the addresses of a line cannot be stored; "" if they can.
func AddressProblem(fid, token notification.Target) string {
	switch {
	case fid.Kind == notification.TargetInvalid:
		return "fid cannot be used: " + fid.Problem()
	case token.Kind == notification.TargetInvalid:
		return "fcmToken has a value that cannot be a token: " + token.Problem()
	case notification.IsInstallationID(token.Value):
		return "fcmToken is an installation ID: call it fid"
	case !fid.IsZero() && !token.IsZero() && !fid.IsSameDevice(token):
		return "fid and fcmToken are of different installations: give each a line"
	}
	return ""
}
