package content

// template is the body of a request, cut where copies differ.
type template struct {
	segments []segment
	tail     []byte
	fixed    int // bytes of all literals
}

// segment is literal JSON, followed by a slot.
type segment struct {
	literal []byte
	slot    slot
	value   int // index among the message's values, for slotValue
}

const (
	bodyStart = `{"message":{`
	bodyEnd   = `}}`
)

// newTemplate cuts a message into a request, with the target first.
func newTemplate(message *object) template {
	e := encoder{literal: []byte(bodyStart), cutDynamic: true}
	e.cut(segment{slot: slot{kind: slotTarget}})
	if len(message.members) > 0 {
		e.cut(segment{slot: slot{kind: slotSeparator}})
	}
	e.members(message)
	t := template{segments: e.segments, tail: append(e.literal, bodyEnd...)}
	for _, s := range t.segments {
		t.fixed += len(s.literal)
	}
	t.fixed += len(t.tail)
	return t
}

// messageFixed is the length of the message's object without its values, its target and what
// surrounds it.
func (t template) messageFixed() int { return t.fixed - len(bodyStart) - len(bodyEnd) + len(`{}`) }

// values lists the placeholders of a message, each pair of placeholder and mode once, and the
// strings to check once they are filled in.
type values struct {
	list   []value
	checks []*dynamic
	names  []string
}

// value is one placeholder with the type that it takes.
type value struct {
	placeholder

	mode     mode
	path     string // of the first field that has it, for errors
	fallback []byte // the default as JSON
	uses     int    // how often it is in the message
}

// collect visits a node and numbers its placeholders.
func (v *values) collect(node any) {
	switch n := node.(type) {
	case *object:
		for _, m := range n.members {
			v.collect(m.value)
		}
	case []any:
		for _, element := range n {
			v.collect(element)
		}
	case *dynamic:
		for i := range n.pieces {
			if p := n.pieces[i].placeholder; p != nil {
				n.pieces[i].value = v.number(*p, n)
			}
		}
		if n.check != nil {
			v.checks = append(v.checks, n)
		}
	}
}

// number returns the index of a placeholder's value.
func (v *values) number(p placeholder, d *dynamic) int {
	for i := range v.list {
		if v.list[i].placeholder == p && v.list[i].mode == d.mode {
			v.list[i].uses++
			return i
		}
	}
	all := value{placeholder: p, mode: d.mode, path: d.path, uses: 1}
	if d.mode == modeText {
		all.fallback = appendEscaped(nil, p.fallback)
	} else {
		all.fallback = []byte(p.fallback)
	}
	v.list = append(v.list, all)
	return len(v.list) - 1
}
