package config

import (
	"encoding/base64"
	"strings"
)

// contentOf names what a text is that was pasted where the path of its file is expected; "" for what may be a path.
func contentOf(text string) string {
	trimmed := strings.Trim(text, " \t\r\n\"'")
	switch {
	case strings.HasPrefix(trimmed, "{"), strings.HasPrefix(trimmed, "["):
		return "JSON"
	case strings.Contains(trimmed, "-----BEGIN"), strings.Contains(trimmed, "-----END"):
		return "PEM"
	case strings.ContainsAny(trimmed, "\r\n"), strings.Contains(trimmed, `\n`):
		return "a text of several lines"
	case isEncodedContent(trimmed):
		return "base64"
	case len(trimmed) > maxPath:
		return "a text of " + Size(len(trimmed)).String()
	}
	return ""
}

// maxPath is what Linux takes for a path.
const maxPath = 4095

// isEncodedContent reports whether the beginning of the text is the base64 of JSON or of PEM. A path decodes to neither.
func isEncodedContent(text string) bool {
	const enough = 40
	if len(text) < enough {
		return false
	}
	begin, err := base64.StdEncoding.DecodeString(strings.NewReplacer("-", "+", "_", "/").Replace(text[:enough]))
	return err == nil && (strings.HasPrefix(strings.TrimSpace(string(begin)), "{") || strings.HasPrefix(string(begin), "-----BEGIN"))
}

// pastedError says that a setting holds the content of a file.
type pastedError struct{ content string }

func (e *pastedError) Error() string { return "holds " + e.content + ", not the path of a file" }
