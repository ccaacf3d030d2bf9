package profiles

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// appendValue appends what a hole becomes, escaped for a JSON string; ok is false when the value does not fill it.
func (h *placeholder) appendValue(dst []byte, values map[string]json.RawMessage) (out []byte, ok bool) {
	if raw, exists := values[h.name]; exists {
		if out, ok = appendScalar(dst, raw); ok {
			return out, true
		}
	}
	return h.appendNested(dst, values)
}

// appendNested follows the dots of a name such as address.city.
func (h *placeholder) appendNested(dst []byte, values map[string]json.RawMessage) (out []byte, ok bool) {
	if h.path == nil {
		return dst, false
	}
	last := len(h.path) - 1
	for _, part := range h.path[:last] {
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
	return appendScalar(dst, values[h.path[last]])
}

// appendScalar appends a string's text, or a number or boolean as it is written in JSON. Nothing else fills a hole:
// neither null, nor objects and arrays, nor what is no JSON at all.
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
	if plain(raw) {
		return append(dst, raw[1:len(raw)-1]...), true
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return dst, false
	}
	return appendEscaped(dst, text), true
}

// plain reports that a quoted text is a JSON string without any escape, so that its inside can be copied.
func plain(raw []byte) bool {
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
