package profiles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"
)

// placeholder is one {{name}} or {{name|default}} of a message.
type placeholder struct {
	name       string
	path       []string // the parts of a dotted name
	fallback   []byte   // the default, escaped for JSON
	hasDefault bool
}

// piece is a text, followed by a placeholder unless it is the last piece.
type piece struct {
	text        string
	placeholder *placeholder
}

// splitPlaceholders cuts a text at its placeholders, {{name}} or {{name|default}}. It ignores
// spaces around name and default. A }} without a {{ is text.
func splitPlaceholders(text string) ([]piece, error) {
	var pieces []piece
	for {
		before, rest, opened := strings.Cut(text, "{{")
		if !opened {
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
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return nil, fmt.Errorf("a placeholder has no name: %q", "{{"+inside+"}}")
	case strings.ContainsAny(name, "{}"):
		return nil, fmt.Errorf("a placeholder's name contains a brace: %q", "{{"+inside+"}}")
	}
	p := &placeholder{name: name, hasDefault: hasDefault}
	if parts := strings.Split(name, "."); len(parts) > 1 {
		p.path = parts
	}
	p.fallback = appendEscaped(nil, strings.TrimSpace(otherwise))
	return p, nil
}

// appendValue appends the placeholder's value, escaped for a JSON string. ok is false if values do
// not fill it.
func (p *placeholder) appendValue(dst []byte, values map[string]json.RawMessage) (out []byte, ok bool) {
	if raw, exists := values[p.name]; exists {
		if out, ok = appendScalar(dst, raw); ok {
			return out, true
		}
	}
	return p.appendNested(dst, values)
}

// appendNested follows the dots of a name such as address.city.
func (p *placeholder) appendNested(dst []byte, values map[string]json.RawMessage) (out []byte, ok bool) {
	if p.path == nil {
		return dst, false
	}
	last := len(p.path) - 1
	for _, part := range p.path[:last] {
		raw, exists := values[part]
		if !exists {
			return dst, false
		}
		var inner map[string]json.RawMessage
		if json.Unmarshal(raw, &inner) != nil {
			return dst, false
		}
		values = inner
	}
	return appendScalar(dst, values[p.path[last]])
}

// appendScalar appends a string's text, or a number or boolean as its JSON. Null, objects, arrays
// and invalid JSON do not fill a placeholder.
func appendScalar(dst []byte, raw json.RawMessage) (out []byte, ok bool) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 {
		return dst, false
	}
	switch c := raw[0]; {
	case c == '"':
		return appendString(dst, raw)
	case c == '-' || c == 't' || c == 'f' || '0' <= c && c <= '9':
		if json.Valid(raw) {
			return append(dst, raw...), true
		}
	}
	return dst, false
}

func appendString(dst []byte, raw json.RawMessage) (out []byte, ok bool) {
	if isUnescaped(raw) {
		return append(dst, raw[1:len(raw)-1]...), true
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return dst, false
	}
	return appendEscaped(dst, text), true
}

// isUnescaped reports whether raw is a JSON string without escapes, so that its inside can be
// copied.
func isUnescaped(raw []byte) bool {
	if len(raw) < 2 || raw[len(raw)-1] != '"' {
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
