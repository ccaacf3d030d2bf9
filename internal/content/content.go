// Package content is the room of a campaign's message. It checks the message as FCM would, fills
// in its placeholders, and writes the body of each recipient's request.
//
// Compile reads a message (read.go) against FCM's schema (schema.go, checks.go), and cuts it into
// templates (template.go) with slots for what differs by copy (layout.go). Content.Fill finds the
// values of the placeholders for one recipient (fill.go, lookup.go). Message.AppendRequest writes
// the body (render.go).
package content

import (
	"slices"

	"fanfare/internal/notification"
)

// Content is a campaign's message, compiled once. It is safe for concurrent use.
type Content struct {
	values    values
	roots     branches // of dotted names
	templates [layouts]template
	// structural: a placeholder decides about marks or TTLs.
	structural bool
	shared     *Message // nil: it differs by recipient
	choices    *choices // nil: one text for all
}

// MaxSize is the limit of a message's JSON in bytes, without its target.
const MaxSize = maxMessage

// Compile reads a message from an application or a file. It also accepts a whole request,
// {"message": {…}}, which may have languages and variants beside the message. Its error is
// notification.Faults with everything that FCM would refuse and everything that could not be filled
// in.
func Compile(text notification.Message) (*Content, error) {
	var r reader
	message := r.read(text)
	c, err := finishCompile(&r, message)
	if err != nil || len(r.beside) == 0 {
		return c, err
	}
	var faults notification.Faults
	if c.choices, faults = readChoices(message, r.beside); len(faults) > 0 {
		return nil, faults
	}
	c.shared = nil
	return c, nil
}

// compileSingle compiles a message without choices.
func compileSingle(text notification.Message) (*Content, error) {
	var r reader
	return finishCompile(&r, r.read(text))
}

// finishCompile compiles what was read.
func finishCompile(r *reader, message *object) (*Content, error) {
	if len(r.faults) > 0 {
		if size := len(appendNode(nil, orEmpty(message))); size > maxMessage {
			r.faults = append(r.faults, sizeFault(size))
		}
		return nil, r.faults
	}
	c := newContent(message)
	if size := c.templates[0].messageFixed(); size > maxMessage {
		return nil, notification.Faults{sizeFault(size)}
	}
	return c, nil
}

// orEmpty keeps a nil object out of an interface.
func orEmpty(o *object) *object {
	if o == nil {
		return new(object)
	}
	return o
}

// newContent compiles a message without faults.
func newContent(message *object) *Content {
	c := &Content{structural: structural(message)}
	c.values.collect(message)
	for i := range c.values.list {
		if name := c.values.list[i].name; !slices.Contains(c.values.names, name) {
			c.values.names = append(c.values.names, name)
		}
	}
	c.roots = newBranches(c.values.list)
	for l := range layout(layouts) {
		c.templates[l] = newTemplate(l.apply(message))
	}
	if !c.IsPersonal() {
		c.shared = c.newMessage(c.templates[0].messageFixed())
	}
	return c
}

// Canonical returns the message without the surrounding request and with FCM's own field names.
// Placeholders and faulty parts stay as they are.
func Canonical(text notification.Message) notification.Message {
	var r reader
	message := r.read(text)
	if message == nil {
		return text
	}
	return appendNode(nil, message)
}

// IsPersonal reports whether the message differs by recipient.
func (c *Content) IsPersonal() bool { return len(c.values.list) > 0 || c.choices != nil }

// Shared returns the message of all recipients, or nil if it is personal.
func (c *Content) Shared() *Message { return c.shared }

// Names returns the placeholders' names, each once, in the order of the text.
func (c *Content) Names() []string { return slices.Clone(c.values.names) }
