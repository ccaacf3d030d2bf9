package api

import (
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
	"fanfare/internal/schedule"
)

// The described fields are those that Go writes and reads, at every depth. So neither can be
// changed without the other.
func TestSchemasHaveTheFieldsOfTheTypes(t *testing.T) {
	t.Parallel()
	described, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]any{
		"Campaign": new(operator.View), "User": new(userAnswer), "Process": new(fleet.Process), "Quota": new(operator.QuotaView), "Loaded": new(operator.LoadSummary),
		"Deletion": new(operator.Deletion), "Backlog": new(operator.Backlog), "Replay": new(operator.ReplaySummary), "HistoryEntry": new(notification.HistoryEntry),
		"Problem": new(problem), "NewCampaign": new(newCampaign), "Change": new(change), "Transition": new(transition), "ReplayRequest": new(replayRequest),
	} {
		schema := described.Components.Schemas[name].Value
		compareRequired(t, name, schema, fieldsOf(t, name, value))
		set(reflect.ValueOf(value).Elem())
		complete(value)
		compareFields(t, name, schema, fieldsOf(t, name, value))
	}
}

// complete sets what only a combination of fields has written, and clears what the API never
// writes.
func complete(value any) {
	switch v := value.(type) {
	case *operator.View:
		v.Spec.Message, v.Spec.State = notification.Message(`{}`), campaign.Paused
		v.Spec.Windows, _ = schedule.ParseWindows("mon-fri 09:00-21:00")
		v.Spec.LocalTime, _ = schedule.ParseLocalFrom("2030-01-31T18:00", time.UnixMilli(0), time.Time{})
		v.Err = &operator.MessageError{ID: "42", Faults: notification.Faults{{Field: "data.n", Problem: "is a number"}}}
	case *userAnswer:
		v.Outcomes[0].RemoveTokens()
	}
}

var (
	momentType = reflect.TypeFor[time.Time]()
	rawType    = reflect.TypeFor[json.RawMessage]()
	errorType  = reflect.TypeFor[error]()
)

// set gives every exported field a value that is not the zero one: lists and maps have one entry.
func set(v reflect.Value) {
	switch {
	case !v.CanSet():
		return
	case v.Type() == momentType:
		v.Set(reflect.ValueOf(time.UnixMilli(1_796_000_000_000)))
		return
	case v.Type() == rawType:
		v.SetBytes([]byte(`{"a":1}`))
		return
	case v.Type() == errorType:
		v.Set(reflect.ValueOf(errors.New("it fails")))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			set(v.Field(i))
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		set(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		set(v.Index(0))
	case reflect.Map:
		key, entry := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		set(key)
		set(entry)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, entry)
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Float64:
		v.SetFloat(1)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(10 * time.Second)) // as a duration, it is not rounded to 0
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(1)
	}
}

// fieldsOf returns a value's JSON, decoded.
func fieldsOf(t *testing.T, name string, value any) (decoded any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, &decoded)
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return decoded
}

// compareFields holds the fields of an object against a schema with properties, and the objects in
// it.
func compareFields(t *testing.T, path string, schema *openapi3.Schema, value any) {
	t.Helper()
	switch v := value.(type) {
	case []any:
		if schema.Items != nil && len(v) > 0 {
			compareFields(t, path+"[]", schema.Items.Value, v[0])
		}
	case map[string]any:
		if len(schema.Properties) == 0 {
			return // any object
		}
		got, want := slices.Sorted(maps.Keys(v)), slices.Sorted(maps.Keys(schema.Properties))
		if !slices.Equal(got, want) {
			t.Errorf("%s: Go has the fields\n%q, described are\n%q", path, got, want)
		}
		for field, each := range schema.Properties {
			compareFields(t, path+"."+field, each.Value, v[field])
		}
	}
}

// compareRequired looks for the required fields in the JSON of a zero value. A request requires
// fields of the caller, which the zero value has, too.
func compareRequired(t *testing.T, path string, schema *openapi3.Schema, value any) {
	t.Helper()
	v, _ := value.(map[string]any)
	for _, field := range schema.Required {
		if _, has := v[field]; !has {
			t.Errorf("%s: %s is required, and Go leaves it out", path, field)
		}
	}
}
