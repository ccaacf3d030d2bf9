package content

import (
	"encoding/json"
	"fmt"
	"strings"
)

// readFree reads JSON that FCM passes on as it is. Only its placeholders are looked at.
func (r *reader) readFree(f field, path string, raw json.RawMessage) any {
	switch raw[0] {
	case '{':
		out := new(object)
		eachMember(raw, func(name string, value json.RawMessage) {
			at := path + "." + name
			r.checkKey(at, name)
			member, known := f.members[name]
			if !known {
				member = field{kind: anything}
			}
			out.add(name, r.readFree(member, at, value))
		})
		return out
	case '[':
		list := []any{}
		eachElement(raw, func(i int, value json.RawMessage) {
			list = append(list, r.readFree(field{kind: anything}, fmt.Sprintf("%s[%d]", path, i), value))
		})
		return list
	case '"':
		text, _ := decodeString(raw)
		if !r.hasPlaceholder(text) {
			return text
		}
		return r.readDynamic(f, path, text)
	default:
		return raw
	}
}

// hasPlaceholder reports whether a text is read for placeholders.
func (r *reader) hasPlaceholder(text string) bool {
	return !r.filled && (strings.Contains(text, "{{") || liquidTag.MatchString(text))
}

// checkKey adds a fault for a placeholder in a key, which is not filled in.
func (r *reader) checkKey(path, key string) {
	if !r.filled && strings.Contains(key, "{{") {
		r.addFault(path, "has a placeholder in its key; only values are filled in")
	}
}

// readDynamic reads a text with placeholders.
func (r *reader) readDynamic(f field, path, text string) any {
	pieces, err := splitPlaceholders(text)
	if err != nil {
		r.addFault(path, err.Error())
		return text
	}
	d := &dynamic{path: path, text: text, pieces: pieces, check: f.checkFilled(), dropEmpty: f.dropsEmpty()}
	if f.mode() == modeText {
		return d
	}
	only := pieces[0].placeholder
	switch {
	case len(pieces) == 1 && pieces[0].text == "":
		if d.mode = f.mode(); only.hasDefault && !d.mode.takes([]byte(only.fallback)) {
			r.addFault(path, fmt.Sprintf("must be %s; the default of {{%s}} is %q", d.mode.wants(), only.name, only.fallback))
		}
		return d
	case f.kind == scalar: // Apple and browsers may take a text
		return d
	}
	r.addFault(path, fmt.Sprintf("must be %s or exactly one placeholder, is %q", f.mode().wants(), clip(text)))
	return text
}

// checkFilled returns the check of a text in the field, or nil if every text is good.
func (f field) checkFilled() func(text string) string {
	switch f.kind {
	case duration, timestamp, choice:
		return func(text string) string {
			raw := json.RawMessage(append(appendEscaped([]byte{'"'}, text), '"'))
			if _, want := f.convert(raw); want != "" {
				return fmt.Sprintf("must be %s, is %q", want, clip(text))
			}
			return f.describeProblem(raw)
		}
	default:
		return f.check
	}
}
