package content

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"fanfare/internal/notification"
)

// UnknownPlaceholder is a placeholder in the form of another system. It may be meant as it is, so
// it is not refused; devices show it.
type UnknownPlaceholder struct {
	Field string // such as message.notification.title
	Text  string // as it is written, such as ${name}
	Name  string
}

func (u UnknownPlaceholder) String() string {
	return fmt.Sprintf("%s has %q, which is not filled in: devices show it as it is; write {{%s}}", u.Field, u.Text, u.Name)
}

// unknownForms are the forms of JavaScript and shells, of ERB and EJS, and of mail programs.
var unknownForms = []*regexp.Regexp{
	regexp.MustCompile(`\$\{\s*([A-Za-z_][\w.]*)\s*\}`), regexp.MustCompile(`<%=\s*@?([A-Za-z_][\w.]*)\s*%>`), regexp.MustCompile(`%([A-Za-z_][\w.]*)%`),
}

// shownMembers are the members of a message that people read.
var shownMembers = []string{"title", "subtitle", "body", "alert"}

// FindUnknownPlaceholders returns the placeholders of other systems in the titles and bodies of a
// message, each once.
func FindUnknownPlaceholders(message notification.Message) []UnknownPlaceholder {
	var top map[string]any
	if json.Unmarshal(bytes.TrimPrefix(message, []byte("\xef\xbb\xbf")), &top) != nil {
		return nil
	}
	if _, request := top["message"].(map[string]any); !request {
		top = map[string]any{"message": top}
	}
	var found unknownPlaceholders
	found.walk("", top)
	return found
}

type unknownPlaceholders []UnknownPlaceholder

func (u *unknownPlaceholders) walk(path string, value any) {
	switch v := value.(type) {
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			field := name
			if path != "" {
				field = path + "." + name
			}
			if text, isText := v[name].(string); isText && slices.Contains(shownMembers, name) {
				u.add(field, text)
			}
			u.walk(field, v[name])
		}
	case []any:
		for i, each := range v {
			u.walk(fmt.Sprintf("%s[%d]", path, i), each)
		}
	}
}

func (u *unknownPlaceholders) add(field, text string) {
	for _, form := range unknownForms {
		for _, match := range form.FindAllStringSubmatch(text, -1) {
			if !slices.ContainsFunc(*u, func(known UnknownPlaceholder) bool { return known.Text == match[0] }) {
				*u = append(*u, UnknownPlaceholder{field, match[0], match[1]})
			}
		}
	}
}
