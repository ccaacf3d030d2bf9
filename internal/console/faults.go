package console

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"slices"
	"strconv"
	"strings"

	"fanfare/internal/content"
	"fanfare/internal/notification"
	"fanfare/internal/operator"
)

// fault is something in a message that FCM would refuse, or a warning, and where it stands in the
// text.
type fault struct {
	Field   string `json:"field"`
	Problem string `json:"problem"`
	Line    int    `json:"line"` // from 1; 0: unknown
	// From and To are the place of the member's name in the text, in UTF-16 units as scripts count.
	From int `json:"from"`
	To   int `json:"to"`
}

// faultsOf returns all faults of a message, each with its place.
func faultsOf(text []byte) []fault {
	_, err := operator.CheckMessage(text)
	if err == nil {
		return nil
	}
	found := notification.FaultsOf(err)
	if len(found) == 0 {
		return []fault{{Field: "message", Problem: err.Error()}}
	}
	var all []fault
	for _, f := range found {
		all = append(all, fault{Field: f.Field, Problem: f.Problem})
	}
	return placeAll(text, all)
}

// warningsOf returns the placeholders of other systems in a message, each with its place.
func warningsOf(text []byte) []fault {
	var all []fault
	for _, u := range content.FindUnknownPlaceholders(text) {
		all = append(all, fault{Field: u.Field, Problem: "has " + u.Text + ", which is not filled in. Write {{" + u.Name + "}}."})
	}
	return placeAll(text, all)
}

// placeAll finds where faults stand in a text, and sorts them by that.
func placeAll(text []byte, all []fault) []fault {
	if len(all) == 0 {
		return nil
	}
	places, broken := locate(text)
	for i := range all {
		place, ok := places.of(all[i].Field)
		if !ok && broken >= 0 {
			place = textSpan{broken, broken}
			ok = true
		}
		if ok {
			all[i].Line = 1 + bytes.Count(text[:place.from], []byte("\n"))
			all[i].From, all[i].To = utf16Len(text[:place.from]), utf16Len(text[:place.to])
		}
	}
	slices.SortStableFunc(all, func(a, b fault) int { return cmp.Compare(a.From, b.From) })
	return all
}

// textSpan is a part of a text, in bytes.
type textSpan struct{ from, to int }

// places are the names of a JSON text's members by their path, such as message.android.ttl.
type places map[string]textSpan

// of returns the place of a path, or of the nearest member around it.
func (p places) of(path string) (textSpan, bool) {
	for path != "" {
		if at, ok := p[path]; ok {
			return at, true
		}
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
	return textSpan{}, false
}

// locate finds the members of a message, which may be a whole request. broken is where the text
// stops being JSON, -1 if it does not.
func locate(text []byte) (found places, broken int) {
	found = make(places)
	var syntax *json.SyntaxError
	if err := json.Unmarshal(text, new(any)); errors.As(err, &syntax) {
		return found, min(len(text), max(0, int(syntax.Offset)-1))
	}
	_ = found.walk(json.NewDecoder(bytes.NewReader(text)), text, "") // it is JSON
	return found.rooted(), -1
}

// rooted gives every path the root "message", as FCM's faults have it.
func (p places) rooted() places {
	if _, whole := p["message"]; whole {
		return p
	}
	all := make(places, len(p))
	for path, at := range p {
		all["message."+path] = at
	}
	return all
}

func (p places) walk(d *json.Decoder, text []byte, path string) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('{'):
		return p.walkMembers(d, text, path)
	case json.Delim('['):
		for i := 0; d.More(); i++ {
			if err := p.walk(d, text, path+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
		_, err = d.Token()
	}
	return err
}

func (p places) walkMembers(d *json.Decoder, text []byte, path string) error {
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		if path != "" {
			name = path + "." + name
		}
		to := int(d.InputOffset())
		from := max(0, bytes.LastIndexByte(text[:max(0, to-1)], '"'))
		p[name] = textSpan{from, to}
		if err := p.walk(d, text, name); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// utf16Len is the length of a text as browsers count it.
func utf16Len(text []byte) int {
	n := 0
	for _, r := range string(text) {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
