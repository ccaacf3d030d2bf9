package responses_test

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"pgregory.net/rapid"

	"fanfare/internal/notification"
	"fanfare/internal/responses"
)

// The published schema of a result has exactly the members that are written, and every result
// satisfies it.
func TestResultsSatisfyTheirSchema(t *testing.T) {
	t.Parallel()
	schema, err := jsonschema.NewCompiler().Compile("../../docs/schema/result.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	compareMembers(t, schema, reflect.TypeFor[notification.Result]())
	device := schema.Properties["devices"].Items2020.Ref
	compareMembers(t, device, reflect.TypeFor[notification.DeviceResult]())
	rapid.Check(t, func(t *rapid.T) {
		r := results().Draw(t, "result")
		text := responses.Append(nil, &r)
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(value); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	})
}

// compareMembers compares the members of a schema, and those it requires, with a type's.
func compareMembers(t *testing.T, schema *jsonschema.Schema, of reflect.Type) {
	t.Helper()
	required := strings.Join(schema.Required, " ") + " "
	for field := range of.Fields() {
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		if schema.Properties[name] == nil {
			t.Errorf("the schema has no %s of %s", name, of)
		}
		if isRequired := options != "omitempty"; isRequired != strings.Contains(required, name+" ") {
			t.Errorf("the schema requires %sof %s, but %s is required: %t", required, of, name, isRequired)
		}
	}
	if len(schema.Properties) != of.NumField() {
		t.Errorf("the schema has %d members of %s, want %d", len(schema.Properties), of, of.NumField())
	}
}
