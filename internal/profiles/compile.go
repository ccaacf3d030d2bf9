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

// Compile parses a message's placeholders. Its error is notification.Faults if a placeholder is not
// closed or has no name.
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

// compiler reads a message token by token. It copies the text between placeholders unchanged, which
// keeps the order of fields, the numbers and unknown fields.
type compiler struct {
	text     []byte // compact: at most one , or : before a value
	decoder  *json.Decoder
	written  int    // the template has the text up to here
	pending  []byte // literal before the next placeholder
	template *Template
	faults   notification.Faults
}

// compileValue compiles the next value, which is at path.
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

// compileMembers compiles the inside of an object or array, and its end.
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

// compileString compiles a string with placeholders. Its JSON is between start and the decoder's
// position.
func (c *compiler) compileString(path []string, text string, start int) {
	pieces, err := splitPlaceholders(text)
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

func (t *Template) add(literal []byte, p *placeholder) {
	t.segments = append(t.segments, segment{literal: literal, placeholder: p})
	if !slices.Contains(t.names, p.name) {
		t.names = append(t.names, p.name)
	}
}

// fillablePaths are the fields in which placeholders are recognised. * matches any key or index.
var fillablePaths = parsePaths(`
	data.*
	notification.title
	notification.body
	notification.image
	android.data.*
	android.notification.title
	android.notification.body
	android.notification.ticker
	android.notification.image
	android.notification.click_action
	android.notification.title_loc_args.*
	android.notification.body_loc_args.*
	apns.payload.aps.alert
	apns.payload.aps.alert.title
	apns.payload.aps.alert.subtitle
	apns.payload.aps.alert.body
	apns.payload.aps.alert.title-loc-args.*
	apns.payload.aps.alert.subtitle-loc-args.*
	apns.payload.aps.alert.loc-args.*
	apns.fcm_options.image
	webpush.data.*
	webpush.notification.title
	webpush.notification.body
	webpush.notification.image
	webpush.notification.icon
	webpush.notification.actions.*.title
	webpush.fcm_options.link
`)

func parsePaths(lines string) [][]string {
	var paths [][]string
	for _, line := range strings.Fields(lines) {
		paths = append(paths, strings.Split(line, "."))
	}
	return paths
}

// isFillable reports whether placeholders are recognised at path. Like encoding/json, it ignores
// the case of names.
func isFillable(path []string) bool {
	for _, pattern := range fillablePaths {
		if isMatch(pattern, path) {
			return true
		}
	}
	return false
}

func isMatch(pattern, path []string) bool {
	if len(pattern) != len(path) {
		return false
	}
	for i, part := range pattern {
		if part != "*" && !strings.EqualFold(part, path[i]) {
			return false
		}
	}
	return true
}
