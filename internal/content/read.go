package content

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"fanfare/internal/notification"
)

// reader checks a message against the schema and collects its faults in the order of the text.
type reader struct {
	faults notification.Faults
	// filled: the placeholders are filled in, and {{ in a value is text.
	filled bool
	// beside are the members beside the message that give it languages and variants.
	beside map[string]json.RawMessage
}

func (r *reader) addFault(path, problem string) {
	r.faults = append(r.faults, &notification.Fault{Field: path, Problem: problem})
}

// addProblem adds a fault if there is a problem.
func (r *reader) addProblem(path, problem string) {
	if problem != "" {
		r.addFault(path, problem)
	}
}

// root begins the path of every field.
const root = "message"

// read checks a message against the schema. It returns the readable parts, also of a message with
// faults.
func (r *reader) read(m []byte) *object {
	m = bytes.TrimPrefix(m, []byte("\xef\xbb\xbf"))
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
	value := r.readValue(field{kind: record, members: messageSchema}, root, content)
	if value == nil {
		r.addFault(root, "must be an object, is null")
	}
	out, _ := value.(*object)
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
	extra := map[string]json.RawMessage{}
	eachMember(raw, func(name string, value json.RawMessage) {
		switch {
		case name == root && inside == nil:
			inside = value
		case isBesideMessage(name):
			extra[name] = value
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
	r.beside = extra
	return inside
}

// readValue returns the field's value, nil if it counts as absent, or the raw text if it is faulty.
func (r *reader) readValue(f field, path string, raw json.RawMessage) any {
	switch f.kind {
	case target:
		r.addFault(path, "names a recipient; remove it: recipients come from the campaign's list")
		return raw
	case outputOnly:
		r.addFault(path, "is set by FCM; remove it")
		return raw
	case anything, scalar:
		return r.readFree(f, path, raw)
	}
	if string(raw) == "null" {
		return nil
	}
	switch f.kind {
	case record:
		return r.readObject(f, path, raw)
	case textOrObject:
		if raw[0] != '"' && raw[0] != '{' {
			return r.addMismatch(path, "a string or an object", raw)
		}
		return r.readFree(f, path, raw)
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
	out := new(object)
	eachMember(raw, func(written string, value json.RawMessage) {
		at := path + "." + written
		r.checkKey(at, written)
		name, member, known := f.members.lookUp(written)
		if _, twice := out.get(name); twice {
			r.addFault(at, "is given twice"+otherSpelling(written, name))
			return
		}
		if !known && !f.allowUnknown {
			r.addFault(at, f.describeUnknown(path, written))
		}
		if !known {
			member.kind = anything
		}
		if v := r.readValue(member, at, value); v != nil {
			out.add(name, v)
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

// checkRequired adds a fault for each missing member, and for members that exclude each other.
func (r *reader) checkRequired(f field, path string, o *object) {
	for _, name := range f.required {
		if _, found := o.get(name); !found {
			r.addFault(path+"."+name, "is missing")
		}
	}
	before := len(r.faults)
	for _, m := range o.members {
		r.checkNeeds(f.members[m.name], path, o, m)
	}
	slices.SortStableFunc(r.faults[before:], func(a, b *notification.Fault) int { return strings.Compare(a.Field, b.Field) })
}

// checkNeeds checks what a member demands of the others.
func (r *reader) checkNeeds(f field, path string, o *object, m member) {
	if _, both := o.get(f.rival); both && f.rival != "" {
		r.addFault(path+"."+f.rival, "is beside "+m.name+": FCM takes one of them")
	}
	if list, _ := m.value.([]any); f.requires == "" || len(list) == 0 {
		return
	}
	needed, _ := o.get(f.requires)
	switch v := needed.(type) {
	case json.RawMessage: // faulty
	case *dynamic:
		v.check = func(text string) string {
			if text == "" {
				return "is empty, but " + m.name + " needs it"
			}
			return ""
		}
	default:
		if text, _ := needed.(string); text == "" {
			r.addFault(path+"."+f.requires, "is missing, but "+m.name+" needs it")
		}
	}
}

// describeUnknown says what a member may be instead.
func (f field) describeUnknown(path, name string) string {
	if path == root && isBesideMessage(name) {
		return fmt.Sprintf(`is no field of a message; write it beside "message": {"message": {…}, %q: …}`, name)
	}
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
	out := new(object)
	eachMember(raw, func(key string, raw json.RawMessage) {
		at := path + "." + key
		r.checkKey(at, key)
		if _, twice := out.get(key); twice {
			r.addFault(at, "is given twice")
			return
		}
		value := r.readScalar(f.entry(key), at, raw)
		if value == nil {
			value = "" // a header may be empty
		}
		out.add(key, value)
		if f.checkKey != nil {
			r.addProblem(at, f.checkKey(key))
		}
	})
	return out
}

// entry returns the field of a key's value.
func (f field) entry(key string) field {
	if f.checkEntry == nil {
		return field{}
	}
	return field{check: f.checkEntry(key)}
}

func (r *reader) readList(f field, path string, raw json.RawMessage) any {
	if raw[0] != '[' {
		return r.addMismatch(path, "a list", raw)
	}
	element := field{kind: text}
	if f.kind == durations {
		element.kind = duration
	}
	out := []any{}
	eachElement(raw, func(i int, raw json.RawMessage) {
		at := fmt.Sprintf("%s[%d]", path, i)
		v := r.readValue(element, at, raw)
		if v == nil {
			v = r.addMismatch(at, "a string", raw)
		}
		out = append(out, v)
	})
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
