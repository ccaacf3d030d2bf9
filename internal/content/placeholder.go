package content

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// placeholder is one {{name}} or {{name|default}} of a message.
type placeholder struct {
	name       string
	fallback   string
	hasDefault bool
}

// mode is the JSON type that a placeholder takes.
type mode uint8

const (
	modeText     mode = iota // inside of a string
	modeInteger              // a whole number of 32 bits
	modeFraction             // a number from 0 to 1
	modeBoolean              // true or false
	modeScalar               // a number, true or false, where Apple or a browser wants one
)

// wants says what a mode takes.
func (m mode) wants() string {
	return [...]string{"a text", "a whole number", "a number from 0 to 1", "true or false", "a number, true or false"}[m]
}

// takes reports whether a JSON literal has the mode's type.
func (m mode) takes(literal []byte) bool {
	switch m {
	case modeInteger:
		_, err := strconv.ParseInt(string(literal), 10, 32)
		return err == nil && json.Valid(literal)
	case modeFraction:
		x, err := strconv.ParseFloat(string(literal), 64)
		return err == nil && x >= 0 && x <= 1 && json.Valid(literal)
	case modeBoolean:
		return string(literal) == "true" || string(literal) == "false"
	case modeScalar:
		return isScalar(literal) && literal[0] != '"'
	default:
		return true
	}
}

// piece is a text, followed by a placeholder unless it is the last piece.
type piece struct {
	text        string
	placeholder *placeholder
	value       int // index among the message's values
}

// dynamic is a string that differs by recipient.
type dynamic struct {
	path   string // of the field, for errors
	text   string // as the campaign wrote it
	pieces []piece
	mode   mode // unless it is modeText, the only piece is a placeholder
	// check returns what is wrong with the filled text, or "". It may be nil.
	check func(text string) string
	// dropEmpty: FCM may refuse an empty text, so the field is left out.
	dropEmpty bool
}

// splitPlaceholders cuts a text at its placeholders, {{name}} or {{name|default}}. It ignores
// spaces around name and default. A }} without a {{ is text.
func splitPlaceholders(text string) ([]piece, error) {
	if err := refuseForeignTags(text); err != nil {
		return nil, err
	}
	var pieces []piece
	for {
		before, rest, opened := strings.Cut(text, "{{")
		if !opened {
			if text == "" && len(pieces) > 0 {
				return pieces, nil
			}
			return append(pieces, piece{text: text}), nil
		}
		inside, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, fmt.Errorf("a placeholder is not closed: %q", "{{"+rest)
		}
		p, err := parsePlaceholder(inside)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece{text: before, placeholder: p})
		text = after
	}
}

func parsePlaceholder(inside string) (*placeholder, error) {
	name, otherwise, hasDefault := strings.Cut(inside, "|")
	p := &placeholder{name: strings.TrimSpace(name), fallback: strings.TrimSpace(otherwise), hasDefault: hasDefault}
	if err := refuseForeignForm(p, inside); err != nil {
		return nil, err
	}
	switch {
	case p.name == "":
		return nil, fmt.Errorf("a placeholder has no name: %q", "{{"+inside+"}}")
	case strings.ContainsAny(p.name, "{}"):
		return nil, fmt.Errorf("a placeholder's name contains a brace: %q; write {{name}} or {{name|default}}", "{{"+inside+"}}")
	case strings.ContainsAny(p.fallback, "{}"):
		return nil, fmt.Errorf("a placeholder's default contains a brace: %q; a default is a plain text, as in {{name|friend}}", "{{"+inside+"}}")
	}
	return p, nil
}

// isScalar reports whether a value can fill a placeholder: a string, a number or a boolean. Null,
// objects, arrays and invalid JSON do not.
func isScalar(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return false
	}
	switch c := raw[0]; {
	case c == '"':
		return isUnescaped(raw) || json.Valid(raw)
	case c == '-' || c == 't' || c == 'f' || '0' <= c && c <= '9':
		return json.Valid(raw)
	}
	return false
}

// appendScalar appends the inside of a JSON string: a string's text, or a number or boolean as its
// JSON. The value must be a scalar.
func appendScalar(dst []byte, raw json.RawMessage) []byte {
	raw = bytes.TrimSpace(raw)
	if raw[0] != '"' {
		return append(dst, raw...)
	}
	if isUnescaped(raw) {
		return append(dst, raw[1:len(raw)-1]...)
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return dst // unreachable: the value is a scalar
	}
	return appendEscaped(dst, text)
}

var errWrongType = errors.New("has another type")

// appendTyped appends a scalar as a number or boolean. A text is accepted if it is spelled like
// one, because a CSV file has only texts.
func (m mode) appendTyped(dst []byte, raw json.RawMessage) ([]byte, error) {
	literal := bytes.TrimSpace(raw)
	if text, quoted := decodeString(json.RawMessage(literal)); quoted {
		literal = []byte(strings.TrimSpace(text))
	}
	if !m.takes(literal) {
		return dst, errWrongType
	}
	return append(dst, literal...), nil
}

// isUnescaped reports whether raw is a JSON string without escapes, so that its inside can be
// copied.
func isUnescaped(raw []byte) bool {
	if len(raw) < 2 || raw[0] != '"' || raw[len(raw)-1] != '"' {
		return false
	}
	inside := raw[1 : len(raw)-1]
	for _, c := range inside {
		if c < ' ' || c == '"' || c == '\\' {
			return false
		}
	}
	return utf8.Valid(inside)
}

// appendEscaped appends text as the inside of a JSON string. Invalid UTF-8 becomes U+FFFD, as in
// encoding/json.
func appendEscaped(dst []byte, text string) []byte {
	const hex = "0123456789abcdef"
	for _, r := range text { // range returns U+FFFD for an invalid byte
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hex[r>>4], hex[r&0xf])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}
