package profiles

import (
	"encoding/json"
	"fmt"
	"slices"

	"fanfare/internal/notification"
)

// Template is a message with placeholders, compiled once and filled for each recipient. It is safe for concurrent use.
//
// A placeholder is {{name}} or {{name|default}}. It is recognised where a reader sees it or a link is followed: titles,
// bodies, images, links and data values (see fillable); elsewhere it is left as it stands. A dotted name, as in
// {{address.city}}, is a field of that very name, or else the field of an object.
//
// A string fills in as its text (also an empty one), a number or boolean as it is written in JSON. Null, objects and
// arrays fill nothing, and then the next in line is taken: the recipient's vars, the profile, the default. Values are
// escaped for JSON and for nothing else: what goes into a link must be written as the link needs it.
type Template struct {
	segments []segment
	tail     []byte // the message's JSON after the last hole
	names    []string
}

// segment is JSON as it is sent, followed by a hole inside of a string.
type segment struct {
	literal     []byte
	placeholder *placeholder
}

// UnfilledError tells which placeholder has neither a value nor a default.
type UnfilledError struct{ Name string }

func (e *UnfilledError) Error() string {
	return fmt.Sprintf("placeholder {{%s}} has no value and no default", e.Name)
}

// Personal reports whether the message differs by recipient.
func (t *Template) IsPersonal() bool { return len(t.segments) > 0 }

// Names lists the placeholders' names, each once, as they first occur.
func (t *Template) Names() []string { return slices.Clone(t.names) }

// FilledBy reports whether vars alone fill every placeholder, so that the profile cannot matter.
func (t *Template) IsFilledBy(vars map[string]json.RawMessage) bool {
	var scratch [256]byte
	for _, s := range t.segments {
		if _, ok := s.placeholder.appendValue(scratch[:0], vars); !ok {
			return false
		}
	}
	return true
}

// Fill writes one recipient's message: from vars, then from profile, then from the defaults. The result is valid JSON
// whatever the values are; it may be shared, so do not change it. The error is an *UnfilledError.
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

// size guesses a filled message's length in bytes.
func (t *Template) estimateSize() int {
	const value = 32
	size := len(t.tail)
	for _, s := range t.segments {
		size += len(s.literal) + value
	}
	return size
}
