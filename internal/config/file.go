package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"fanfare/internal/redact"
)

// file is a settings file that holds known keys only.
type file struct {
	name    string
	content []byte
	lines   map[string]int // key → the line that its value stands on
}

// readFile reads a YAML file of sections. Everything unknown in it is an error with its line.
func readFile(name string) (file, error) {
	f := file{name: name, lines: make(map[string]int)}
	if content := contentOf(name); content != "" {
		return f, &Error{Origin: "settings file", Problem: (&pastedError{content}).Error(), Allowed: "the path of a YAML file"}
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return f, &Error{Origin: name, Problem: "cannot be read: " + reason(err)}
	}
	f.content = content
	document, err := f.onlyDocument()
	if err != nil || len(document.Content) == 0 { // nothing but comments
		return f, err
	}
	known := make(map[string]bool)
	for _, key := range Describe() {
		known[key.Name] = true
		for parent := key.Name; strings.Contains(parent, "."); {
			parent = parent[:strings.LastIndexByte(parent, '.')]
			known[parent+"."] = true
		}
	}
	return f, errors.Join(f.walk(document.Content[0], "", known)...)
}

// onlyDocument parses the file. A second document is an error, since nothing would be read from it.
func (f file) onlyDocument() (yaml.Node, error) {
	var first yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(f.content))
	if err := decoder.Decode(&first); err != nil && !errors.Is(err, io.EOF) {
		return first, syntaxError(f.name, err)
	}
	for {
		var next yaml.Node
		switch err := decoder.Decode(&next); {
		case errors.Is(err, io.EOF):
			return first, nil
		case err != nil:
			return first, syntaxError(f.name, err)
		case len(next.Content) > 0 && !isNull(next.Content[0]):
			return first, &Error{
				Origin: f.at(next.Content[0].Line), Problem: "begins a second YAML document, which is not read",
				Allowed: "one document: remove the line --- before it",
			}
		}
	}
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func reason(err error) string {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// walk notes where each known key stands; prefix is the section, such as "redis.tls.".
func (f file) walk(node *yaml.Node, prefix string, known map[string]bool) []error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return []error{&Error{
			Origin: f.at(node.Line), Key: strings.TrimSuffix(prefix, "."),
			Problem: "is a section, not a value", Allowed: "indented keys below it",
		}}
	}
	var errs []error
	seen := make(map[string]int)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := prefix + key.Value
		lower := strings.ToLower(key.Value)
		switch first, twice := seen[lower]; {
		case !keyName.MatchString(key.Value):
			errs = append(errs, &Error{Origin: f.at(key.Line), Key: strings.TrimSuffix(prefix, "."), Problem: "an unknown key (not shown)"})
		case twice:
			errs = append(errs, &Error{Origin: f.at(key.Line), Key: name, Problem: fmt.Sprintf("stands twice, first in line %d", first)})
		case strings.Contains(key.Value, "."):
			errs = append(errs, &Error{
				Origin: f.at(key.Line), Key: name, Problem: "is written with dots, which would override an indented key unseen",
				Allowed: "indented keys: " + strings.ReplaceAll(lower, ".", ": {") + ": …" + strings.Repeat("}", strings.Count(lower, ".")),
			})
		case known[name]:
			f.lines[name] = value.Line
		case known[name+"."]:
			errs = append(errs, f.walk(value, name+".", known)...)
		default:
			errs = append(errs, &Error{Origin: f.at(key.Line), Key: name, Problem: "unknown key", Allowed: nearest(name, known)})
		}
		seen[lower] = key.Line
	}
	return errs
}

func (f file) at(line int) string { return f.name + ":" + strconv.Itoa(line) }

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)
	// keyName is what a person may have meant for a key. What else stands in its place may be a piece of a secret.
	keyName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$|^<<$`)
	// yamlQuote is what the parser quotes from the file. It shows single characters, and may name an anchor: a password that begins with *.
	yamlQuote = regexp.MustCompile("'[^']{3,}'|\"[^\"]{3,}\"|`[^`]{3,}`")
)

const yamlAnchor = "unknown anchor"

// syntaxError brings the YAML parser's complaint into our form.
func syntaxError(name string, err error) error {
	at := name
	text := err.Error()
	if match := yamlLine.FindStringSubmatch(text); match != nil {
		text = match[2]
		if match[1] != "" {
			at += ":" + match[1]
		}
	}
	e := &Error{Origin: at, Problem: "not YAML: " + yamlQuote.ReplaceAllString(text, redact.Hidden)}
	if strings.HasPrefix(text, yamlAnchor) {
		e.Allowed = "quotes around a value that begins with *"
	}
	return e
}
