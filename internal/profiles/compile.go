package profiles

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"fanfare/internal/notification"
)

// Compile reads a message's placeholders. notification.Faults name the fields in which one is not closed or has no
// name.
func Compile(m notification.Message) (*Template, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, m); err != nil {
		return nil, fmt.Errorf("read message: %w", err)
	}
	c := compiler{text: compact.Bytes(), template: new(Template)}
	c.decoder = json.NewDecoder(bytes.NewReader(c.text))
	c.decoder.UseNumber()
	if err := c.compileValue(nil); err != nil {
		return nil, err
	}
	if err := c.faults.Err(); err != nil {
		return nil, err
	}
	c.template.tail = append(c.pending, c.text[c.written:]...)
	return c.template, nil
}

// compiler walks a message token by token. It copies the text between the placeholders as it stands, so that the
// order of fields, numbers and unknown fields stay as they are.
type compiler struct {
	text     []byte // compact, so that before a value there is at most one , or :
	decoder  *json.Decoder
	written  int    // text up to here is in the template
	pending  []byte // literal that waits for its hole
	template *Template
	faults   notification.Faults
}

// value compiles the next value, which stands at path.
func (c *compiler) compileValue(path []string) error {
	start := int(c.decoder.InputOffset())
	token, err := c.decoder.Token()
	if err != nil {
		return fmt.Errorf("read message: %w", err)
	}
	switch t := token.(type) {
	case json.Delim:
		return c.compileMembers(path, t)
	case string:
		if strings.Contains(t, "{{") && isFillable(path) {
			c.compileString(path, t, start)
		}
	}
	return nil
}

// members compiles the inside of an object or array, and its end.
func (c *compiler) compileMembers(path []string, open json.Delim) error {
	for i := 0; c.decoder.More(); i++ {
		name := strconv.Itoa(i)
		if open == '{' {
			key, err := c.decoder.Token()
			if err != nil {
				return fmt.Errorf("read message: %w", err)
			}
			name, _ = key.(string)
		}
		if err := c.compileValue(append(path, name)); err != nil {
			return err
		}
	}
	_, err := c.decoder.Token()
	return err
}

// fillable compiles a string with placeholders, whose JSON stands in the text between start and where the decoder is.
func (c *compiler) compileString(path []string, text string, start int) {
	pieces, err := split(text)
	if err != nil {
		c.faults = append(c.faults, &notification.Fault{Field: "message." + strings.Join(path, "."), Problem: err.Error()})
		return
	}
	quote := start + bytes.IndexByte(c.text[start:], '"')
	c.pending = append(c.pending, c.text[c.written:quote+1]...)
	c.written = int(c.decoder.InputOffset())
	for _, p := range pieces {
		c.pending = appendEscaped(c.pending, p.text)
		if p.placeholder == nil {
			break
		}
		c.template.add(c.pending, p.placeholder)
		c.pending = nil
	}
	c.pending = append(c.pending, '"')
}

func (t *Template) add(literal []byte, h *placeholder) {
	t.segments = append(t.segments, segment{literal: literal, placeholder: h})
	if !slices.Contains(t.names, h.name) {
		t.names = append(t.names, h.name)
	}
}
