package campaign

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"fanfare/internal/notification"
)

func compileSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/" + name + ".schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func validate(t *rapid.T, schema *jsonschema.Schema, text []byte) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return schema.Validate(value)
}

// drawObject draws an object with some of the members, each with one of its values.
func drawObject(t *rapid.T, values map[string][]any) map[string]any {
	object := make(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if rapid.IntRange(0, 3).Draw(t, name) > 0 {
			object[name] = rapid.SampledFrom(values[name]).Draw(t, name)
		}
	}
	return object
}

// An element satisfies the published schema exactly if it can be read, with all of its devices.
func TestElementsThatSatisfyTheirSchemaAreRead(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t, "element")
	device := map[string][]any{
		"token": {"t1", "t2", "t3", "", 7, nil}, "fid": {"f1", "f2", "", nil, []any{}}, "platform": {"ios", ""}, "locale": {"de"},
		"lastSeen": {"2026-11-30T06:00:00Z", 1764489600000},
	}
	long := strings.Repeat("u", MaxUserID)
	rapid.Check(t, func(t *rapid.T) {
		element := drawObject(t, map[string][]any{
			"userId":   {"u1", "u2", 12, -1, "", long, long + "u", "a\x00b", true, nil, []any{}, map[string]any{}},
			"fcmToken": {"t1", "", nil, 5, false}, "fid": {"f1", "", nil, 5, []any{}}, "tag": {"a", "", nil, strings.Repeat("t", MaxTag+1), 3},
			"vars": {map[string]any{"a": 1}, nil, []any{}, "x"}, "platform": {"ios"}, "locale": {"pt-BR"}, "timeZone": {"Asia/Kolkata"}, "quietHours": {"22:00-07:00"}, "other": {1, nil},
		})
		if n := rapid.SampledFrom([]int{0, 1, 2, 3, notification.MaxDevices, notification.MaxDevices + 1}).Draw(t, "devices"); n > 0 {
			devices := make([]any, n)
			for i := range devices {
				devices[i] = drawObject(t, device)
			}
			element["devices"] = devices
		}
		text, err := json.Marshal(element)
		if err != nil {
			t.Fatal(err)
		}
		recipient, readErr := DecodeRecipient(text)
		isBad := func(d notification.Device) bool { return d.Problem != "" }
		isRead := readErr == nil && !slices.ContainsFunc(recipient.Devices, isBad)
		if schemaErr := validate(t, schema, text); isRead != (schemaErr == nil) {
			t.Fatalf("%s\nis read: %t (%v)\nschema: %v", text, isRead, readErr, schemaErr)
		}
	})
}

// The published schema of a spec has exactly the fields that are read, and accepts their values
// exactly if they are read. (A rate such as 1e3 is read, too, and not published.)
func TestSpecsThatSatisfyTheirSchemaAreRead(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t, "spec")
	fields := slices.DeleteFunc(slices.Sorted(slices.Values(allFields)), func(field string) bool { return field == fieldEdition })
	if published := slices.Sorted(maps.Keys(schema.Properties)); !slices.Equal(published, fields) {
		t.Fatalf("the schema has the fields %q, want %q", published, fields)
	}
	common := []any{"", "0", "1", "9", "10", "1000", "1001", "-1", "0.01", "0.009", "12.5", "1000000", "1000001", "x", "all", "draft", "none", "1764489600000", "1764489600", "2026-11-30T06:00:00Z"}
	own := map[string][]any{
		fieldState: {"draft", "running", "paused", "gone"}, fieldOnAmbiguous: {"resend", "report"}, fieldDevices: {"all", "latest"},
		fieldDedupe: {"address", "user", "none"}, fieldProject: {"my-project", "domain.com:p", "a b", strings.Repeat("p", maxProject+1)},
		fieldKind: {"marketing", "transactional"}, fieldStartAt: {"2030-01-31T18:00:00+07:00"},
		fieldWindows: {"09:00-21:00", "mon-fri 09:00-21:00; sat,sun 22:00-02:00", "mon 9-21", "09:00", "9:00-21:00", "Mon-Fri 09:00-21:00"}, fieldLocalTime: {"2030-01-31T18:00", "2030-01-31 18:00±10m", "2030-01-31T18:00+-10m", "2030-01-31T18:00 +/- 1h30m", "18:00"},
		fieldQuiet:    {"own", "22:00-07:00", "fri,sat 23:00-09:00; sun-thu 22:00-07:00", "22-7", "22:00-7:00"},
		fieldDeadline: {"2030-01-31T18:00:00+07:00", "2030-01-31 18:00", "2019-12-31T23:59:59Z"}, fieldRate: {"0.5", "0.05", "0.", "-0.5"},
	}
	values := make(map[string][]any)
	for _, field := range fields {
		values[field] = slices.Concat(common, own[field])
	}
	values[fieldSource] = []any{"", "x", "[]", `{"files":["/data/users.csv"]}`, " {\"query\":\"SELECT 1 AS id\",\"key\":\"id\",\"where\":\"id > 0\"}"} // nor what is in the text
	values[fieldTimeZone] = []any{"", "Asia/Ho_Chi_Minh", "+07:00"}                                                                                    // the schema does not know all zones
	rapid.Check(t, func(t *rapid.T) {
		field := rapid.SampledFrom(fields).Draw(t, "field")
		spec := map[string]any{fieldState: "draft", fieldMessage: "{}"}
		spec[field] = rapid.SampledFrom(values[field]).Draw(t, "value")
		text, err := json.Marshal(spec)
		if err != nil {
			t.Fatal(err)
		}
		read := make([]any, len(allFields))
		for i, name := range allFields {
			read[i] = spec[name]
		}
		s, readErr := parseSpec("42", allFields, read)
		isRead := readErr == nil && s.requireMessage() == nil
		if schemaErr := validate(t, schema, text); isRead != (schemaErr == nil) {
			t.Fatalf("%s\nis read: %t (%v)\nschema: %v", text, isRead, readErr, schemaErr)
		}
	})
}
