package content

import (
	"encoding/json"
	"slices"
)

// A node of a message is one of these:
//
//   - *object
//   - []any, a list of nodes
//   - string
//   - *dynamic, which differs by recipient
//   - json.RawMessage, a number, a word, or a faulty value as the campaign wrote it
//   - slot, which differs by copy

// object is a JSON object with its members in the order of the text. A nil object is empty, and
// methods do not change their receiver unless they say so.
type object struct{ members []member }

type member struct {
	name  string
	value any
}

// add changes the object.
func (o *object) add(name string, value any) { o.members = append(o.members, member{name, value}) }

func (o *object) get(name string) (value any, found bool) {
	if o == nil {
		return nil, false
	}
	for _, m := range o.members {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// child returns the object in a member, or nil.
func (o *object) child(name string) *object {
	value, _ := o.get(name)
	child, _ := value.(*object)
	return child
}

// with returns a copy that has value at path. It makes the objects on the way.
func (o *object) with(value any, path ...string) *object {
	if len(path) > 1 {
		value = o.child(path[0]).with(value, path[1:]...)
	}
	out := new(object)
	if o != nil {
		out.members = slices.Clone(o.members)
	}
	for i, m := range out.members {
		if m.name == path[0] {
			out.members[i].value = value
			return out
		}
	}
	out.add(path[0], value)
	return out
}

// appendNode appends a node as JSON. Placeholders appear as the campaign wrote them, and there are
// no slots.
func appendNode(dst []byte, node any) []byte {
	e := encoder{literal: dst}
	e.node(node)
	return e.literal
}

// encoder writes nodes as JSON, and cuts it where copies differ.
type encoder struct {
	literal  []byte // since the last cut
	segments []segment
	// cutDynamic: placeholders become segments, otherwise they are written as text.
	cutDynamic bool
}

func (e *encoder) node(node any) {
	switch v := node.(type) {
	case *object:
		e.literal = append(e.literal, '{')
		e.members(v)
		e.literal = append(e.literal, '}')
	case []any:
		e.literal = append(e.literal, '[')
		for i, element := range v {
			if i > 0 {
				e.literal = append(e.literal, ',')
			}
			e.node(element)
		}
		e.literal = append(e.literal, ']')
	case string:
		e.string(v)
	case json.RawMessage:
		e.literal = append(e.literal, v...)
	case slot:
		e.cut(segment{slot: v})
	case *dynamic:
		e.dynamic(v)
	}
}

func (e *encoder) members(o *object) {
	for i, m := range o.members {
		if i > 0 {
			e.literal = append(e.literal, ',')
		}
		e.string(m.name)
		e.literal = append(e.literal, ':')
		e.node(m.value)
	}
}

func (e *encoder) string(text string) {
	e.literal = append(appendEscaped(append(e.literal, '"'), text), '"')
}

func (e *encoder) dynamic(d *dynamic) {
	switch {
	case !e.cutDynamic:
		e.string(d.text)
	case d.mode != modeText:
		e.cut(segment{slot: slot{kind: slotValue}, value: d.pieces[0].value})
	default:
		e.literal = append(e.literal, '"')
		for _, p := range d.pieces {
			e.literal = appendEscaped(e.literal, p.text)
			if p.placeholder != nil {
				e.cut(segment{slot: slot{kind: slotValue}, value: p.value})
			}
		}
		e.literal = append(e.literal, '"')
	}
}

// cut ends the literal with a slot.
func (e *encoder) cut(s segment) {
	s.literal = e.literal
	e.segments, e.literal = append(e.segments, s), nil
}
