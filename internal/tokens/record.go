package tokens

import (
	"strings"

	"fanfare/internal/notification"
	"fanfare/internal/readthrough"
)

// record is all that is stored for a user: addresses with their values in user:<id>:devices. The
// cache compares records as texts. A user with nothing but a token has the token as the record.
type record []entry

// entry is one field of user:<id>:devices.
type entry struct{ address, value string }

func (e entry) device() notification.Device { return parseDetails(e.value).device(e.address) }

// separator begins the text of a record with devices, and separates its parts. No address has it.
const separator = "\x00"

// encode returns the record as a text, which no token equals.
func (r record) encode() string {
	var text strings.Builder
	for _, e := range r {
		text.WriteString(separator)
		text.WriteString(e.address)
		text.WriteString(separator)
		text.WriteString(strings.ReplaceAll(e.value, separator, ""))
	}
	return text.String()
}

// parseRecord is the inverse of encode.
func parseRecord(text string) (r record, ok bool) {
	if !strings.HasPrefix(text, separator) {
		return nil, false
	}
	parts := strings.Split(text[1:], separator)
	if len(parts)%2 != 0 {
		return nil, false
	}
	for i := 0; i < len(parts); i += 2 {
		r = append(r, entry{parts[i], parts[i+1]})
	}
	return r, true
}

// decode reads a record. Beside ErrUnusable it returns the text that cannot be a token.
func decode(text string) ([]notification.Device, error) {
	if r, ok := parseRecord(text); ok {
		devices := make([]notification.Device, len(r))
		for i, e := range r {
			devices[i] = e.device()
		}
		return arrange(devices), nil
	}
	target := notification.ParseAddress(text, "")
	switch {
	case target.IsZero():
		return nil, readthrough.ErrEmpty
	case !target.IsSendable():
		return []notification.Device{{Target: target}}, readthrough.ErrUnusable
	}
	return []notification.Device{{Target: target}}, nil
}
