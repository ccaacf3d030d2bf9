package fcm

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
)

// eachMember visits an object's members in the order of the text. A name that stands twice is an error: FCM refuses it too.
func eachMember(path string, raw json.RawMessage, visit func(name string, value json.RawMessage) error) error {
	if raw[0] != '{' {
		return mismatch(path, "an object", raw)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	seen := make(map[string]struct{})
	for first := true; ; first = false {
		t, err := dec.Token()
		if first {
			t, err = dec.Token()
		}
		if err == io.EOF || t == json.Delim('}') {
			return nil
		}
		name, _ := t.(string)
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return &FieldError{path, "is not JSON: " + err.Error()}
		}
		if _, twice := seen[name]; twice {
			return &FieldError{path + "." + name, "stands there twice"}
		}
		seen[name] = struct{}{}
		if err := visit(name, value); err != nil {
			return err
		}
	}
}

// mismatch says what stands where something else should.
func mismatch(path, want string, raw json.RawMessage) error {
	const long = 40
	is := string(raw)
	switch {
	case raw[0] == '{':
		is = "an object"
	case raw[0] == '[':
		is = "a list"
	case len(is) > long:
		is = strings.ToValidUTF8(is[:long], "") + "…"
	}
	return &FieldError{path, "must be " + want + ", is " + is}
}
