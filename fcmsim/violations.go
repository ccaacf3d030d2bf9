package fcmsim

import (
	"strconv"
	"strings"
)

// fieldPath renders the path to the current value: message.data[0].value.
func (p *parser) fieldPath() string { return renderPath(p.path) }

func renderPath(path []step) string {
	var b strings.Builder
	for i, s := range path {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(s.name)
		if s.index >= 0 {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
		if s.isEntry {
			b.WriteString(".value")
		}
	}
	return b.String()
}

// addInvalid records that FCM refuses the current value, or a part of it named by more.
func (p *parser) addInvalid(description, more string) {
	p.invalid = append(p.invalid, violation{Field: p.fieldPath() + more, Description: description})
}

func (p *parser) addMalformed(where, description string) {
	p.malformed = append(p.malformed, violation{Field: where, Description: description})
}

func (p *parser) rejectUnknown(name, where, problem string) {
	description := "Invalid JSON payload received. Unknown name \"" + name + "\""
	if where != "" {
		description += " at '" + where + "'"
	}
	p.addMalformed(where, description+": "+problem)
}

func (p *parser) rejectValue(f *field, raw []byte) {
	where := p.fieldPath()
	text := string(raw)
	if f.kind == kindDuration {
		text = "Field '" + f.name + "', Illegal duration format; duration must end with 's'"
	}
	p.addMalformed(where, "Invalid value at '"+where+"' ("+f.typeText()+"), "+text)
}

func (p *parser) rejectRival(f *field) {
	where := p.fieldPath()
	p.addMalformed(where, "Invalid value at '"+where+"' (oneof), oneof field '"+f.oneof+"' is already set. Cannot set '"+
		camelCase(f.name)+"'")
}

func (p *parser) rejectList(f *field) {
	problem := "Proto field is not repeating, cannot start list."
	if f.kind == kindTextMap {
		problem = "Cannot bind a list to map for field '" + f.name + "'."
	}
	p.rejectUnknown(f.name, renderPath(p.path[:len(p.path)-1]), problem)
}

// rejectMembers reads an object in the place of a scalar.
func (p *parser) rejectMembers(f *field) *syntaxError {
	at, empty := p.scan.pos, true
	err := p.scan.readMembers(p.depth, func(key []byte) *syntaxError {
		empty = false
		p.rejectUnknown(string(key), p.fieldPath(), "Cannot find field.")
		return p.scan.skip(p.depth)
	})
	if err == nil && empty {
		p.rejectValue(f, p.scan.data[at:p.scan.pos])
	}
	return err
}

// rejectEntry reads a map's value that is not a string.
func (p *parser) rejectEntry() *syntaxError {
	entry := field{name: "value", kind: kindText}
	switch p.scan.peek() {
	case '{':
		return p.rejectMembers(&entry)
	case '[':
		top := p.path[len(p.path)-1]
		p.rejectUnknown("value", renderPath(append(p.path[:len(p.path)-1:len(p.path)-1], step{name: top.name, index: top.index})),
			"Proto field is not repeating, cannot start list.")
		return p.scan.skip(p.depth)
	default:
		at := p.scan.pos
		raw, err := p.scan.readScalar()
		if err == nil {
			p.rejectValue(&entry, p.scan.data[at:at+len(raw)])
		}
		return err
	}
}

// refuse returns the response to an invalid request, nil for a valid one.
func (p *parser) refuse() *status {
	if len(p.malformed) > 0 {
		// The front end reports all problems at once and does not know FCM's error codes.
		descriptions := make([]string, len(p.malformed))
		for i, v := range p.malformed {
			descriptions[i] = v.Description
		}
		s := invalidArgument(strings.Join(descriptions, "\n"), newBadRequest(p.malformed...))
		return &s
	}
	switch {
	case p.to.kind == targetNone:
		return refuseFields(violation{"message", "Recipient of the message is not set."})
	case len(p.invalid) > 0:
		return refuseFields(p.invalid...)
	case p.contentSize() > maxMessage:
		s := invalidArgument("Message is too large. The maximum is 4K (4096 bytes).",
			newBadRequest(), newFCMError("INVALID_ARGUMENT"))
		return &s
	}
	return p.to.refuse()
}

func refuseFields(violations ...violation) *status {
	s := invalidArgument(violations[0].Description, newBadRequest(violations...), newFCMError("INVALID_ARGUMENT"))
	return &s
}

// contentSize is the size of the message without its target.
func (p *parser) contentSize() int {
	const comma = 1
	bare := len(p.message) - p.targetSize
	if bare > len("{}") {
		bare -= comma
	}
	return bare
}
