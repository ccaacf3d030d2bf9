package content_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"fanfare/internal/content"
	"fanfare/internal/notification"
)

// A filled message decodes to the texts put together, for any texts.
func TestFilledTextsReadBack(t *testing.T) {
	literal := rapid.Map(rapid.String(), func(s string) string { return strings.ReplaceAll(s, "{", "(") })
	rapid.Check(t, func(t *rapid.T) {
		before, after, value := literal.Draw(t, "before"), literal.Draw(t, "after"), rapid.String().Draw(t, "value")
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		template, err := content.Compile(notification.Message(in(before + "{{x}}" + after)))
		if err != nil {
			t.Fatal(err)
		}
		filled, err := template.Fill(nil, map[string]json.RawMessage{"x": raw})
		if err != nil {
			t.Fatal(err)
		}
		var message struct{ Notification map[string]string }
		if err := json.Unmarshal(filled.Text(), &message); err != nil {
			t.Fatalf("%v: %s", err, filled.Text())
		}
		if got := message.Notification; len(got) != 1 || got["body"] != before+value+after {
			t.Fatalf("got %q, want %q", got, before+value+after)
		}
	})
}

// FuzzFill checks that a filled message is valid JSON of the same shape, for any message and any
// values.
func FuzzFill(f *testing.F) {
	f.Add(`{"notification":{"title":"Hi {{x|there}}","body":"{{y.z}}"},"data":{"k":"{{x}}"}}`, `"Ann"`, `{"z":1}`)
	f.Add(`{"data":{"k":"a\"{{x}}\\{{y}}"}}`, `"\",\"token\":\"stolen"`, `"x","token":"stolen"`)
	f.Add(`{"data":{"k":"{{x}}{{x|\"}}"},"notification":{"tag":"{{"}}`, "\"\xff\"", `1e5`)
	f.Add(`{"apns":{"payload":{"aps":{"alert":"{{x}}"}}}}`, `"\ud800"`, `-0`)
	f.Fuzz(func(t *testing.T, message, x, y string) {
		template, err := content.Compile(notification.Message(message))
		if err != nil {
			return
		}
		m, err := template.Fill(
			map[string]json.RawMessage{"x": json.RawMessage(x)}, map[string]json.RawMessage{"y": json.RawMessage(y)})
		if _, unfilled := errors.AsType[*content.UnfilledError](err); unfilled {
			return
		}
		_, invalid := errors.AsType[*content.ValueError](err)
		if _, large := errors.AsType[*content.TooLargeError](err); invalid || large {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		filled := m.Text()
		if len(filled) != m.Size() {
			t.Fatalf("%d bytes, but the size is %d: %s", len(filled), m.Size(), filled)
		}
		if !json.Valid(filled) {
			t.Fatalf("no JSON: %s", filled)
		}
		if utf8.ValidString(message) && !utf8.Valid(filled) {
			t.Fatalf("no UTF-8: %q", filled)
		}
		if got, want := shape(t, filled), shape(t, content.Canonical([]byte(message))); got != want {
			t.Fatalf("the message's shape changed from %s to %s", want, got)
		}
	})
}

// shape returns a text's JSON with empty string values.
func shape(t *testing.T, text []byte) string {
	t.Helper()
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // some numbers are outside a float's range
	if err := decoder.Decode(&value); err != nil {
		t.Fatal(err)
	}
	bare, err := json.Marshal(blank(value))
	if err != nil {
		t.Fatal(err)
	}
	return string(bare)
}

func blank(value any) any {
	switch v := value.(type) {
	case string:
		return ""
	case json.Number, bool: // may stand for a placeholder
		return ""
	case []any:
		for i := range v {
			v[i] = blank(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = blank(v[key])
		}
	}
	return value
}

// object returns the members of a JSON object.
func object(text string) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(text), &members); err != nil {
		panic(err)
	}
	return members
}
