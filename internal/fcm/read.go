package fcm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// tree is an object of the message as the SDK reads it: what FCM takes in several spellings stands in the SDK's.
// Values that are none of the schema's business stay json.RawMessage, as the campaign wrote them.
type tree map[string]any

// readMessage checks a message against the schema. The first fault, in the order of the text, is a *FieldError.
func readMessage(m []byte) (tree, error) {
	const root = "message"
	if !utf8.Valid(m) {
		return nil, &FieldError{root, "is not valid UTF-8"}
	}
	if !json.Valid(m) {
		return nil, &FieldError{root, "is not JSON: " + syntaxProblem(m)}
	}
	value, err := field{kind: object, members: messageSchema}.read(root, bytes.Clone(bytes.TrimSpace(m)))
	if err != nil {
		return nil, err
	}
	if value == nil {
		return nil, &FieldError{root, "must be an object, is null"}
	}
	return value.(tree), nil
}

func syntaxProblem(m []byte) string {
	var whole json.RawMessage
	return json.Unmarshal(m, &whole).Error()
}

// read returns the field's value, nil where that is as good as absent. path names it in errors.
func (f field) read(path string, raw json.RawMessage) (any, error) {
	switch f.kind {
	case target:
		return nil, &FieldError{path, "names a recipient; the audience says to whom the message goes"}
	case unsent:
		return nil, &FieldError{path, "is known to FCM, but the Firebase SDK cannot send it"}
	case output:
		return nil, &FieldError{path, "is for FCM to give"}
	case anything:
		return raw, nil
	}
	if string(raw) == "null" {
		return nil, nil
	}
	switch f.kind {
	case object:
		return f.readObject(path, raw)
	case textOrObject:
		if raw[0] != '"' && raw[0] != '{' {
			return nil, mismatch(path, "a string or an object", raw)
		}
		return raw, nil
	case entries:
		return f.readEntries(path, raw)
	case texts, durations:
		return f.readList(path, raw)
	default:
		return f.readScalar(path, raw)
	}
}

func (f field) readObject(path string, raw json.RawMessage) (any, error) {
	out := tree{}
	err := eachMember(path, raw, func(name string, value json.RawMessage) error {
		if _, twice := out[name]; twice {
			return &FieldError{path + "." + name, "stands there twice"}
		}
		member, known := f.members[name]
		if !known && !f.open {
			return &FieldError{path + "." + name, f.unknown(name)}
		}
		if !known {
			member.kind = anything
		}
		v, err := member.read(path+"."+name, value)
		if err == nil && v != nil {
			out[name] = v
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, f.complete(path, out)
}

// complete looks for members that have to be there.
func (f field) complete(path string, members tree) error {
	for _, name := range f.needs {
		if _, there := members[name]; !there {
			return &FieldError{path + "." + name, "is missing"}
		}
	}
	for name, value := range members {
		key := f.members[name].with
		if list, _ := value.([]any); key == "" || len(list) == 0 {
			continue
		}
		if said, _ := members[key].(string); said == "" {
			return &FieldError{path + "." + key, "is missing, although " + name + " needs it"}
		}
	}
	return nil
}

func (f field) unknown(name string) string {
	if name == "message" {
		return "is unknown to FCM; give the object inside \"message\" alone"
	}
	if known := f.members.resembling(name); known != "" {
		return "is unknown to FCM; did you mean " + known + "?"
	}
	return "is unknown to FCM"
}

// readEntries reads an object of strings: data, or headers.
func (f field) readEntries(path string, raw json.RawMessage) (any, error) {
	out := tree{}
	err := eachMember(path, raw, func(key string, raw json.RawMessage) error {
		at := path + "." + key
		if _, twice := out[key]; twice {
			return &FieldError{at, "stands there twice"}
		}
		value, ok := asText(raw)
		if !ok {
			return mismatch(at, "a string", raw)
		}
		if problem := f.entry(key, value); problem != "" {
			return &FieldError{at, problem}
		}
		out[key] = value
		return nil
	})
	return out, err
}

func (f field) readList(path string, raw json.RawMessage) (any, error) {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return nil, mismatch(path, "a list", raw)
	}
	element := field{kind: text}
	if f.kind == durations {
		element.kind = duration
	}
	out := make([]any, 0, len(elements))
	for i, raw := range elements {
		at := fmt.Sprintf("%s[%d]", path, i)
		v, err := element.read(at, raw)
		if err != nil {
			return nil, err
		}
		if v == nil {
			return nil, mismatch(at, "a string", raw)
		}
		out = append(out, v)
	}
	return out, nil
}
