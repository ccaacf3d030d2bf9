package fcmsim

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// kind of a field's value in proto JSON.
type kind uint8

const (
	kindText kind = iota
	kindBool
	kindInt32
	kindFloat
	kindEnum
	kindDuration
	kindTimestamp
	kindObject  // a message with a schema
	kindTextMap // map<string, string>
	kindStruct  // google.protobuf.Struct: any JSON object
)

// field of a message.
type field struct {
	name     string // as in the .proto file and Google's error messages
	kind     kind
	typeName string  // of an enum or a message
	schema   *schema // of a message
	values   []string
	repeated bool
	// oneof is the group of which only one field may be set; rivals has a bit for each of the
	// others.
	oneof  string
	rivals uint64
	// index of the field in its schema, and its bit among the fields that are set.
	index int
	// role marks the fields that the parser keeps.
	role role
	// check validates the value beyond its type, and entry each entry of a map. The result
	// describes the problem, "" if there is none.
	check func(text []byte) string
	entry func(key, value []byte) entryFault
}

// entryFault is what is wrong with an entry of a map; zero if nothing is. The suffix, such as
// ".TTL", extends the map's path in the error.
type entryFault struct{ suffix, description string }

type role uint8

const (
	roleNone role = iota
	roleValidateOnly
	roleMessage
	roleTarget
	roleLifetime // a time to live, which is not part of a message's identity
	roleHeaders  // a map that may hold one
)

// schema of a message.
type schema struct {
	fields   map[string]*field // by snake_case and camelCase name; proto JSON takes both
	required []*field
}

func newSchema(fields ...field) *schema {
	s := &schema{fields: make(map[string]*field, 2*len(fields))}
	for i := range fields {
		f := &fields[i]
		f.index = i
		s.fields[f.name] = f
		s.fields[camelCase(f.name)] = f
		for j := range fields {
			if i != j && f.oneof != "" && f.oneof == fields[j].oneof {
				f.rivals |= 1 << j
			}
		}
	}
	return s
}

func (s *schema) require(names ...string) *schema {
	for _, name := range names {
		s.required = append(s.required, s.fields[name])
	}
	return s
}

func camelCase(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words[1:] {
		words[i+1] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}

func text(name string, check ...func([]byte) string) field {
	f := field{name: name, kind: kindText}
	if len(check) > 0 {
		f.check = check[0]
	}
	return f
}

func texts(name string) field { return field{name: name, kind: kindText, repeated: true} }

func flag(name string) field { return field{name: name, kind: kindBool} }

func integer(name string, check func([]byte) string) field {
	return field{name: name, kind: kindInt32, check: check}
}

func float(name string) field { return field{name: name, kind: kindFloat} }

func duration(name string) field { return field{name: name, kind: kindDuration} }

func timestamp(name string) field { return field{name: name, kind: kindTimestamp} }

func enum(name, typeName string, values ...string) field {
	return field{name: name, kind: kindEnum, typeName: "google.firebase.fcm.v1." + typeName, values: values}
}

func object(name, typeName string, s *schema) field {
	return field{name: name, kind: kindObject, typeName: "google.firebase.fcm.v1." + typeName, schema: s}
}

func textMap(name string, entry func(key, value []byte) entryFault) field {
	return field{name: name, kind: kindTextMap, entry: entry}
}

func anyObject(name string) field {
	return field{name: name, kind: kindStruct, typeName: "google.protobuf.Struct"}
}

func (f field) inOneof(oneof string) field { f.oneof = oneof; return f }

func (f field) withRole(r role) field { f.role = r; return f }

// typeText is Google's name for the field's type in an error.
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

// canHold reports whether a scalar has the field's type. Proto JSON also takes numbers and booleans
// as strings, but no other type for a string.
func (f *field) canHold(text []byte, quoted bool) bool {
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
		return f.canHoldEnum(text, quoted)
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

// canHoldEnum takes names in any case, as FCM does ("high"), and numbers.
func (f *field) canHoldEnum(text []byte, quoted bool) bool {
	for _, name := range f.values {
		if quoted && bytes.EqualFold(text, []byte(name)) {
			return true
		}
	}
	n, err := strconv.Atoi(string(text))
	return err == nil && n >= 0 && n < len(f.values)
}
