package profiles

import (
	"fmt"
	"strings"
)

// hole is one placeholder.
type placeholder struct {
	name       string
	path       []string // the name's parts between its dots, when there are several
	fallback   []byte   // the default, escaped for JSON
	hasDefault bool
}

// piece is a stretch of text, followed by a hole unless it is the last one.
type piece struct {
	text        string
	placeholder *placeholder
}

// split cuts a text at its placeholders: {{name}} or {{name|default}}, where spaces around name and default do not
// count. A }} that closes nothing is text.
func split(text string) ([]piece, error) {
	var pieces []piece
	for {
		before, rest, opened := strings.Cut(text, "{{")
		if !opened {
			return append(pieces, piece{text: text}), nil
		}
		inside, after, closed := strings.Cut(rest, "}}")
		if !closed {
			return nil, fmt.Errorf("a placeholder is not closed: %q", "{{"+rest)
		}
		h, err := parsePlaceholder(inside)
		if err != nil {
			return nil, err
		}
		pieces = append(pieces, piece{text: before, placeholder: h})
		text = after
	}
}

func parsePlaceholder(inside string) (*placeholder, error) {
	name, otherwise, hasDefault := strings.Cut(inside, "|")
	name = strings.TrimSpace(name)
	switch {
	case name == "":
		return nil, fmt.Errorf("a placeholder has no name: %q", "{{"+inside+"}}")
	case strings.ContainsAny(name, "{}"):
		return nil, fmt.Errorf("a placeholder's name holds a brace: %q", "{{"+inside+"}}")
	}
	h := &placeholder{name: name, hasDefault: hasDefault}
	if parts := strings.Split(name, "."); len(parts) > 1 {
		h.path = parts
	}
	h.fallback = appendEscaped(nil, strings.TrimSpace(otherwise))
	return h, nil
}
