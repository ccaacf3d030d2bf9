package content

import "encoding/json"

// A patch is a JSON merge patch (RFC 7396) of a message: members replace those of the message,
// objects are merged, and null removes a member.

// readPatch reads a patch with FCM's own field names. It checks nothing else, because the patched
// message is checked.
func (r *reader) readPatch(f field, path string, raw json.RawMessage) any {
	if raw[0] != '{' {
		return readPlain(raw)
	}
	out := new(object)
	eachMember(raw, func(written string, value json.RawMessage) {
		name, member, _ := f.members.lookUp(written)
		if _, twice := out.get(name); twice {
			r.addFault(path+"."+written, "is given twice"+otherSpelling(written, name))
			return
		}
		out.add(name, r.readPatch(member, path+"."+written, value))
	})
	return out
}

// readPlain reads a string as text, and leaves other values as they are written.
func readPlain(raw json.RawMessage) any {
	if text, quoted := decodeString(raw); quoted {
		return text
	}
	return raw
}

// merge returns the message with a patch. Neither is changed.
func merge(message, patch *object) *object {
	if patch == nil {
		return message
	}
	out := new(object)
	if message != nil {
		out.members = append(out.members, message.members...)
	}
	for _, m := range patch.members {
		switch v := m.value.(type) {
		case json.RawMessage:
			if string(v) == "null" {
				out.remove(m.name)
				continue
			}
			out.set(m.name, v)
		case *object:
			out.set(m.name, merge(out.child(m.name), v))
		default:
			out.set(m.name, v)
		}
	}
	return out
}

// set changes the object.
func (o *object) set(name string, value any) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members[i].value = value
			return
		}
	}
	o.add(name, value)
}

// remove changes the object.
func (o *object) remove(name string) {
	for i := range o.members {
		if o.members[i].name == name {
			o.members = append(o.members[:i:i], o.members[i+1:]...)
			return
		}
	}
}
