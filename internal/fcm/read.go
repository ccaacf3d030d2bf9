package fcm

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"fanfare/internal/notification"
)

// tree is an object of the message in the form that the SDK reads, with the SDK's spelling of
// values. Values outside the schema and faulty ones stay json.RawMessage, as the campaign wrote
// them.
type tree map[string]any

// reader checks a message against the schema and collects its faults in the order of the text.
type reader struct{ faults notification.Faults }

func (r *reader) addFault(path, problem string) {
	r.faults = append(r.faults, &notification.Fault{Field: path, Problem: problem})
}

// root begins the path of every field.
const root = "message"

// readMessage checks a message against the schema. Its error is notification.Faults, and the tree
// then holds the readable parts.
func readMessage(m []byte) (tree, error) {
	var r reader
	content := r.message(bytes.TrimPrefix(m, []byte("\xef\xbb\xbf")))
	return content, r.faults.Err()
}

func (r *reader) message(m []byte) tree {
	switch {
	case !utf8.Valid(m):
		r.addFault(root, "is not valid UTF-8")
		return nil
	case !json.Valid(m):
		r.addFault(root, describeNonJSON(m))
		return nil
	}
	content := r.unwrap(bytes.Clone(bytes.TrimSpace(m)))
	if content == nil {
		return nil
	}
	if content[0] == '"' {
		if text, _ := decodeString(content); json.Valid([]byte(text)) {
			r.addFault(root, "must be an object, is a string that holds JSON: it was encoded twice")
			return nil
		}
	}
	value := r.read(field{kind: object, members: messageSchema}, root, content)
	if value == nil {
		r.addFault(root, "must be an object, is null")
	}
	out, _ := value.(tree)
	return out
}

// describeNonJSON says what the text is and where JSON ends in it.
func describeNonJSON(m []byte) string {
	switch text := bytes.TrimSpace(m); {
	case len(text) == 0:
		return "is not JSON: it is empty"
	case bytes.HasPrefix(text, []byte("[object ")):
		return fmt.Sprintf("is not JSON but %q: encode the object, with JSON.stringify in JavaScript", text[:min(len(text), 40)])
	}
	var whole json.RawMessage
	return "is not JSON: " + json.Unmarshal(m, &whole).Error()
}

// unwrap returns the object in "message" if the text is a whole request of the HTTP API, or else
// the object itself. If both are mixed, it adds a fault and returns nil.
func (r *reader) unwrap(raw json.RawMessage) json.RawMessage {
	if raw[0] != '{' {
		return raw
	}
	var inside json.RawMessage
	var beside []string
	eachMember(raw, func(name string, value json.RawMessage) {
		switch {
		case name == root && inside == nil:
			inside = value
		case (name == "validate_only" || name == "validateOnly") && string(value) != "true":
		default:
			beside = append(beside, name)
		}
	})
	if inside == nil {
		return raw
	}
	if len(beside) > 0 {
		for _, name := range beside {
			r.addFault(name, `is beside "message": give the message alone`)
		}
		return nil
	}
	return inside
}

// read returns the field's value, nil if it counts as absent, or the raw text if it is faulty.
func (r *reader) read(f field, path string, raw json.RawMessage) any {
	switch f.kind {
	case target:
		r.addFault(path, "names a recipient; remove it: recipients come from the campaign's list")
		return raw
	case unsupported:
		r.addFault(path, "is known to FCM, but the Firebase SDK cannot send it")
		return raw
	case outputOnly:
		r.addFault(path, "is set by FCM; remove it")
		return raw
	case anything:
		return raw
	}
	if string(raw) == "null" {
		return nil
	}
	switch f.kind {
	case object:
		return r.readObject(f, path, raw)
	case textOrObject:
		if raw[0] != '"' && raw[0] != '{' {
			r.addMismatch(path, "a string or an object", raw)
		}
		return raw
	case stringMap:
		return r.readEntries(f, path, raw)
	case texts, durations:
		return r.readList(f, path, raw)
	default:
		return r.readScalar(f, path, raw)
	}
}

func (r *reader) readObject(f field, path string, raw json.RawMessage) any {
	if raw[0] != '{' {
		return r.addMismatch(path, "an object", raw)
	}
	out := tree{}
	eachMember(raw, func(written string, value json.RawMessage) {
		at := path + "." + written
		name, member, known := f.members.lookUp(written)
		if _, twice := out[name]; twice {
			r.addFault(at, "is given twice"+otherSpelling(written, name))
			return
		}
		if !known && !f.allowUnknown {
			r.addFault(at, f.describeUnknown(written))
			member.kind = anything
		}
		if !known {
			member.kind = anything
		}
		if v := r.read(member, at, value); v != nil {
			out[name] = v
		}
	})
	r.checkRequired(f, path, out)
	return out
}

// otherSpelling names the other spelling of a field.
func otherSpelling(text, name string) string {
	if text == name {
		return ""
	}
	return ", also as " + name
}

// checkRequired adds a fault for each missing member.
func (r *reader) checkRequired(f field, path string, members tree) {
	for _, name := range f.required {
		if _, found := members[name]; !found {
			r.addFault(path+"."+name, "is missing")
		}
	}
	before := len(r.faults)
	for name, value := range members {
		key := f.members[name].requires
		if list, _ := value.([]any); key == "" || len(list) == 0 {
			continue
		}
		if _, faulty := members[key].(json.RawMessage); faulty {
			continue
		}
		if text, _ := members[key].(string); text == "" {
			r.addFault(path+"."+key, "is missing, but "+name+" needs it")
		}
	}
	slices.SortFunc(r.faults[before:], func(a, b *notification.Fault) int { return strings.Compare(a.Field, b.Field) })
}

func (f field) describeUnknown(name string) string {
	if known := f.members.suggest(name); known != "" {
		return "is unknown to FCM; did you mean " + known + "?"
	}
	return "is unknown to FCM"
}

// readEntries reads an object of strings, such as data or headers.
func (r *reader) readEntries(f field, path string, raw json.RawMessage) any {
	if raw[0] != '{' {
		return r.addMismatch(path, "an object", raw)
	}
	out := tree{}
	eachMember(raw, func(key string, raw json.RawMessage) {
		at := path + "." + key
		if _, twice := out[key]; twice {
			r.addFault(at, "is given twice")
			return
		}
		value, ok := decodeString(raw)
		if !ok {
			out[key] = r.addMismatch(at, "a string", raw)
			return
		}
		if problem := f.checkEntry(key, value); problem != "" {
			r.addFault(at, problem)
		}
		out[key] = value
	})
	return out
}

func (r *reader) readList(f field, path string, raw json.RawMessage) any {
	var elements []json.RawMessage
	if json.Unmarshal(raw, &elements) != nil {
		return r.addMismatch(path, "a list", raw)
	}
	element := field{kind: text}
	if f.kind == durations {
		element.kind = duration
	}
	out := make([]any, 0, len(elements))
	for i, raw := range elements {
		at := fmt.Sprintf("%s[%d]", path, i)
		v := r.read(element, at, raw)
		if v == nil {
			v = r.addMismatch(at, "a string", raw)
		}
		out = append(out, v)
	}
	return out
}

// addMismatch adds a fault for a value of the wrong type, and returns the value.
func (r *reader) addMismatch(path, want string, raw json.RawMessage) any {
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
	r.addFault(path, "must be "+want+", is "+is)
	return raw
}
