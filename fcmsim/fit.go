package fcmsim

import (
	"bytes"
	"strconv"
	"time"
)

// typeText is what Google calls the field's type in an error.
func (f *field) typeText() string {
	switch f.kind {
	case kindText:
		return "TYPE_STRING"
	case kindBool:
		return "TYPE_BOOL"
	case kindInt32:
		return "TYPE_INT32"
	case kindFloat:
		return "TYPE_FLOAT"
	case kindDuration:
		return "type.googleapis.com/google.protobuf.Duration"
	case kindTimestamp:
		return "type.googleapis.com/google.protobuf.Timestamp"
	case kindTextMap:
		return "Map"
	default:
		return "type.googleapis.com/" + f.typeName
	}
}

// fits tells whether a scalar is of the field's type. Proto JSON takes numbers and booleans as strings too, but no
// strings as anything else.
func (f *field) fits(text []byte, quoted bool) bool {
	switch f.kind {
	case kindText:
		return quoted
	case kindBool:
		return string(text) == "true" || string(text) == "false"
	case kindInt32:
		n, err := strconv.ParseFloat(string(text), 64)
		return err == nil && n == float64(int32(n))
	case kindFloat:
		_, err := strconv.ParseFloat(string(text), 32)
		return err == nil
	case kindEnum:
		return f.fitsEnum(text, quoted)
	case kindDuration:
		_, ok := parseSeconds(text)
		return quoted && ok
	case kindTimestamp:
		_, err := time.Parse(time.RFC3339Nano, string(text))
		return quoted && err == nil
	default:
		return false
	}
}

// fitsEnum takes names in any case, as FCM does ("high"), and numbers.
func (f *field) fitsEnum(text []byte, quoted bool) bool {
	for _, name := range f.values {
		if quoted && bytes.EqualFold(text, []byte(name)) {
			return true
		}
	}
	n, err := strconv.Atoi(string(text))
	return err == nil && n >= 0 && n < len(f.values)
}
