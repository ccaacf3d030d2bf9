package content

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var durationPattern = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?s$`)

// timeLayout is how times are sent. The Firebase SDK reads no other layout.
const timeLayout = "2006-01-02T15:04:05.000000000Z"

// readScalar reads a value of a field that is neither an object nor a list.
func (r *reader) readScalar(f field, path string, raw json.RawMessage) any {
	if text, quoted := decodeString(raw); quoted && r.hasPlaceholder(text) {
		return r.readDynamic(f, path, text)
	}
	value, want := f.convert(raw)
	if want != "" {
		return r.addMismatch(path, want, raw)
	}
	if value == "" && f.dropsEmpty() {
		return nil
	}
	r.addProblem(path, f.describeProblem(raw))
	return value
}

// dropsEmpty reports whether an empty text counts as absent. FCM may refuse one where it checks the
// form of a text.
func (f field) dropsEmpty() bool { return f.kind == text && f.check != nil }

// describeProblem returns what the field's check finds in a value of the right type, or "".
func (f field) describeProblem(raw json.RawMessage) string {
	if f.check == nil {
		return ""
	}
	text, quoted := decodeString(raw)
	if !quoted {
		text = string(raw)
	}
	return f.check(text)
}

// convert returns the value as it is sent, or a description of what the field takes.
func (f field) convert(raw json.RawMessage) (value any, want string) {
	if m := f.mode(); m != modeText {
		if m.takes(raw) {
			return raw, ""
		}
		return nil, m.wants()
	}
	text, quoted := decodeString(raw)
	switch f.kind {
	case duration:
		if d, ok := parseDuration(text); ok {
			return string(appendDuration(nil, d)), ""
		}
		return nil, `a duration in seconds such as "3.5s"`
	case timestamp:
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.UTC().Format(timeLayout), ""
		}
		return nil, `a time such as "2026-01-31T10:00:00Z"`
	case choice:
		return f.convertChoice(text)
	default:
		if quoted {
			return text, ""
		}
		return nil, "a string"
	}
}

func (f field) convertChoice(text string) (value any, want string) {
	for _, v := range f.values {
		if strings.EqualFold(v, text) {
			if strings.HasSuffix(v, "_UNSPECIFIED") {
				return nil, ""
			}
			return v, ""
		}
	}
	return nil, "one of " + strings.Join(f.values, ", ")
}

// parseDuration reads a duration of proto3 JSON.
func parseDuration(value string) (time.Duration, bool) {
	if !durationPattern.MatchString(value) {
		return 0, false
	}
	d, err := time.ParseDuration(value)
	return d, err == nil
}

// appendDuration writes all nine digits of a fraction, because the Firebase SDK reads 3.5s as 3 s
// and 5 ns.
func appendDuration(dst []byte, d time.Duration) []byte {
	seconds, nanos := int64(d/time.Second), int64(d%time.Second)
	dst = strconv.AppendInt(dst, seconds, 10)
	if nanos != 0 {
		at := len(dst)
		dst = strconv.AppendInt(append(dst, '.'), nanos+int64(time.Second), 10)
		dst = append(dst[:at+1], dst[at+2:]...) // without the 1 before the leading zeros
	}
	return append(dst, 's')
}

// mode is the type that a placeholder takes in place of the field's whole value.
func (f field) mode() mode {
	switch f.kind {
	case boolean:
		return modeBoolean
	case integer:
		return modeInteger
	case fraction:
		return modeFraction
	case scalar:
		return modeScalar
	default:
		return modeText
	}
}
