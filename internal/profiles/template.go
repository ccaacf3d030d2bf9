package profiles

import (
	"encoding/json"
	"fmt"
	"slices"

	"fanfare/internal/notification"
)

// Template is a message with placeholders, compiled once and filled for each recipient. It is safe
// for concurrent use.
//
// A placeholder is {{name}} or {{name|default}}. Templates recognise it in titles, bodies, images,
// links and data values (see fillablePaths), and leave it as it is elsewhere. A dotted name such as
// {{address.city}} is a field of exactly that name, or else the field of an object.
//
// A string fills in as its text, even if it is empty. A number or boolean fills in as its JSON.
// Null, objects and arrays do not fill a placeholder. Values come from the recipient's vars, then
// the profile, then the default. Values are escaped for JSON only, so a value for a link must
// already be escaped as the link needs it.
type Template struct {
	segments []segment
	tail     []byte // the message's JSON after the last placeholder
	names    []string
}

// segment is literal JSON, followed by a placeholder inside a string.
type segment struct {
	literal     []byte
	placeholder *placeholder
}

// UnfilledError names a placeholder with neither a value nor a default.
type UnfilledError struct{ Name string }

func (e *UnfilledError) Error() string {
	return fmt.Sprintf("placeholder {{%s}} has no value and no default", e.Name)
}

// IsPersonal reports whether the message differs by recipient.
func (t *Template) IsPersonal() bool { return len(t.segments) > 0 }

// Names returns the placeholders' names, each once, in the order of the text.
func (t *Template) Names() []string { return slices.Clone(t.names) }

// IsFilledBy reports whether vars alone fill every placeholder, so that the profile is not needed.
func (t *Template) IsFilledBy(vars map[string]json.RawMessage) bool {
	var scratch [256]byte
	for _, s := range t.segments {
		if _, ok := s.placeholder.appendValue(scratch[:0], vars); !ok {
			return false
		}
	}
	return true
}

// Fill returns one recipient's message, from vars, then the profile, then the defaults. The result
// is valid JSON for any values. It may be shared, so do not change it. The error is an
// *UnfilledError.
func (t *Template) Fill(vars, profile map[string]json.RawMessage) (notification.Message, error) {
	if !t.IsPersonal() {
		return t.tail, nil
	}
	out := make([]byte, 0, t.estimateSize())
	for _, s := range t.segments {
		out = append(out, s.literal...)
		filled, ok := s.placeholder.appendValue(out, vars)
		if !ok {
			filled, ok = s.placeholder.appendValue(out, profile)
		}
		switch {
		case ok:
			out = filled
		case s.placeholder.hasDefault:
			out = append(out, s.placeholder.fallback...)
		default:
			return nil, &UnfilledError{Name: s.placeholder.name}
		}
	}
	return append(out, t.tail...), nil
}

// estimateSize guesses the length of a filled message in bytes.
func (t *Template) estimateSize() int {
	const value = 32
	size := len(t.tail)
	for _, s := range t.segments {
		size += len(s.literal) + value
	}
	return size
}
