package content

import (
	"encoding/json"
	"fmt"

	"fanfare/internal/notification"
)

// A placeholder is {{name}} or {{name|default}}, in any string value of a message. A dotted name
// such as {{address.city}} is a field of exactly that name, or else the field of an object.
//
// A string fills in as its text, even if it is empty. A number or boolean fills in as its JSON.
// Null, objects and arrays do not fill a placeholder. Values come from the recipient's vars, then
// the profile, then the default. Values are escaped for JSON only, so a value for a link must
// already be escaped as the link needs it.
//
// Where FCM wants a number or a flag, a string that is exactly one placeholder becomes one.

// UnfilledError names a placeholder with neither a value nor a default.
type UnfilledError struct{ Name string }

func (e *UnfilledError) Error() string {
	return fmt.Sprintf("placeholder {{%s}} has no value and no default", e.Name)
}

// ValueError says that a recipient's value breaks a field which FCM checks. Other recipients are
// not affected.
type ValueError struct {
	Field   string // such as message.android.notification.color
	Problem string // completes the sentence "<field>: …"
}

func (e *ValueError) Error() string { return "fill message: " + e.Field + ": " + e.Problem }

// TooLargeError says that a filled message is over MaxSize.
type TooLargeError struct{ Size int } // in bytes

func (e *TooLargeError) Error() string { return sizeFault(e.Size).Error() }

func sizeFault(size int) *notification.Fault {
	return &notification.Fault{Field: root, Problem: fmt.Sprintf("is %d bytes as JSON, over the %d that FCM takes", size, maxMessage)}
}

// fewValues is how many values need no allocation of their own.
const fewValues = 16

// Message is one recipient's message. It may be shared by recipients and by devices, and is safe
// for concurrent use.
type Message struct {
	content *Content
	marked  bool // copies get a tag and a collapse id
	size    int
	// texts holds the values one after the other. Value i ends at ends[i].
	texts []byte
	ends  []int
	few   [fewValues]int
}

// Size returns the length of the message's JSON in bytes, without the target, tag and collapse id
// of a copy.
func (m *Message) Size() int { return m.size }

// newMessage makes a message without values. Tag and collapse id are left out where they do not
// fit.
func (c *Content) newMessage(size int) *Message {
	return &Message{content: c, size: size, marked: size+maxMarkSize <= maxMessage}
}

// IsFilledBy reports whether vars alone fill every placeholder, so that the profile is not needed.
func (c *Content) IsFilledBy(vars map[string]json.RawMessage) bool {
	var few [fewValues]json.RawMessage
	found := few[:0]
	for range c.values.list {
		found = append(found, nil)
	}
	c.find(found, vars)
	for _, raw := range found {
		if raw == nil {
			return false
		}
	}
	return true
}

// Fill returns one recipient's message, from vars, then the profile, then the defaults. The error
// is an *UnfilledError, a *ValueError or a *TooLargeError.
func (c *Content) Fill(vars, profile map[string]json.RawMessage) (*Message, error) {
	return c.fill(nil, vars, profile)
}

// fill is Fill with the values that were found in vars; nil: look there.
func (c *Content) fill(own []json.RawMessage, vars, profile map[string]json.RawMessage) (*Message, error) {
	if c.shared != nil {
		return c.shared, nil
	}
	var few [fewValues]json.RawMessage
	found := few[:0]
	if own != nil {
		found = append(found, own...)
	} else {
		for range c.values.list {
			found = append(found, nil)
		}
		c.find(found, vars)
	}
	c.find(found, profile)
	m := &Message{content: c, texts: make([]byte, 0, len(found)*32)}
	m.ends = m.few[:0]
	size := c.templates[0].messageFixed()
	for i := range c.values.list {
		before := len(m.texts)
		if err := m.addValue(&c.values.list[i], found[i]); err != nil {
			return nil, err
		}
		size += (len(m.texts) - before) * c.values.list[i].uses
	}
	return m.finish(size)
}

// addValue appends a value, or the default.
func (m *Message) addValue(v *value, raw json.RawMessage) error {
	switch {
	case raw == nil && !v.hasDefault:
		return &UnfilledError{Name: v.name}
	case raw == nil:
		m.texts = append(m.texts, v.fallback...)
	case v.mode == modeText:
		m.texts = appendScalar(m.texts, raw)
	default:
		var err error
		if m.texts, err = v.mode.appendTyped(m.texts, raw); err != nil {
			return &ValueError{Field: v.path, Problem: fmt.Sprintf("must be %s; {{%s}} %s", v.mode.wants(), v.name, describeType(raw))}
		}
	}
	m.ends = append(m.ends, len(m.texts))
	return nil
}

// describeType says what a value is, without the value: it may be private.
func describeType(raw json.RawMessage) string {
	switch raw = skip(raw, 0); raw[0] {
	case '"':
		return "is a text"
	case 't', 'f':
		return "is true or false"
	default:
		return "is another number"
	}
}

// finish checks a filled message.
func (m *Message) finish(size int) (*Message, error) {
	c := m.content
	m.size, m.marked = size, size+maxMarkSize <= maxMessage
	again := c.structural
	for _, d := range c.values.checks {
		text := m.textOf(d)
		if problem := d.check(text); problem != "" {
			return nil, &ValueError{Field: d.path, Problem: problem}
		}
		again = again || text == "" && d.dropEmpty
	}
	if size > maxMessage {
		return nil, &TooLargeError{Size: size}
	}
	if again {
		return m.recompile()
	}
	return m, nil
}

// textOf returns a filled string.
func (m *Message) textOf(d *dynamic) string {
	raw := []byte{'"'}
	for _, p := range d.pieces {
		raw = appendEscaped(raw, p.text)
		if p.placeholder != nil {
			raw = append(raw, m.value(p.value)...)
		}
	}
	text, _ := decodeString(append(raw, '"'))
	return text
}

func (m *Message) value(i int) []byte {
	start := 0
	if i > 0 {
		start = m.ends[i-1]
	}
	return m.texts[start:m.ends[i]]
}

// recompile compiles a filled message again, because a value decides about marks, TTLs or an
// empty field.
func (m *Message) recompile() (*Message, error) {
	r := reader{filled: true}
	message := r.read(m.Text())
	if len(r.faults) > 0 {
		return nil, &ValueError{Field: r.faults[0].Field, Problem: r.faults[0].Problem}
	}
	return newContent(message).shared, nil
}
