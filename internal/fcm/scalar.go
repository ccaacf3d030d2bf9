package fcm

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var durationPattern = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?s$`)

// sdkTime is the only time layout that the SDK reads.
const sdkTime = "2006-01-02T15:04:05.000000000Z"

func (r *reader) readScalar(f field, path string, raw json.RawMessage) any {
	value, want := f.convert(raw)
	if want != "" {
		return r.addMismatch(path, want, raw)
	}
	if f.check != nil {
		text, quoted := decodeString(raw)
		if !quoted {
			text = string(raw)
		}
		if problem := f.check(text); problem != "" {
			r.addFault(path, problem)
		}
	}
	return value
}

// convert returns the value in the SDK's spelling, or a description of what the field takes.
func (f field) convert(raw json.RawMessage) (value any, want string) {
	text, quoted := decodeString(raw)
	switch f.kind {
	case boolean:
		if b := string(raw); b == "true" || b == "false" {
			return b == "true", ""
		}
		return nil, "true or false"
	case integer:
		if n, err := strconv.ParseInt(string(raw), 10, 32); err == nil {
			return n, ""
		}
		return nil, "a whole number"
	case fraction:
		if x, err := strconv.ParseFloat(string(raw), 64); err == nil && x >= 0 && x <= 1 {
			return x, ""
		}
		return nil, "a number from 0 to 1"
	case duration:
		if d, ok := parseDuration(text); ok {
			return sdkDuration(d), ""
		}
		return nil, `a duration in seconds such as "3.5s"`
	case timestamp:
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			return t.UTC().Format(sdkTime), ""
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

// sdkDuration writes all nine digits of a fraction. The SDK reads 3.5s as 3 s and 5 ns.
func sdkDuration(d time.Duration) string {
	seconds, nanos := d/time.Second, d%time.Second
	if nanos == 0 {
		return strconv.FormatInt(int64(seconds), 10) + "s"
	}
	return fmt.Sprintf("%d.%09ds", seconds, nanos)
}
