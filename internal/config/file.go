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

	"github.com/spf13/viper"
	"go.yaml.in/yaml/v3"

	"fanfare/internal/redact"
)

// file is a settings file with known keys only.
type file struct {
	name     string
	content  []byte
	lines    map[string]int // key → the line of its value
	projects []project
}

// readFile reads a YAML file of sections. It returns an error with the line of each unknown key.
func readFile(name string) (file, error) {
	f := file{name: name, lines: make(map[string]int)}
	if content := detectContent(name); content != "" {
		return f, &Error{Origin: "settings file", Problem: (&pastedError{content}).Error(), Allowed: "the path of a YAML file"}
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return f, &Error{Origin: name, Problem: "cannot be read: " + trimPath(err)}
	}
	f.content = content
	document, err := f.parseDocument()
	if err != nil || len(document.Content) == 0 { // only comments
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
	errs := f.findKeys(document.Content[0], "", known)
	return f, errors.Join(errs...)
}

// parseDocument parses the file. A second document is an error, since viper would ignore it.
func (f file) parseDocument() (yaml.Node, error) {
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
				Origin: f.position(next.Content[0].Line), Problem: "starts a second YAML document, which is ignored",
				Allowed: "one document: remove the line --- before it",
			}
		}
	}
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

func trimPath(err error) string {
	if pathErr, ok := errors.AsType[*os.PathError](err); ok {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// findKeys records the line of each known key. prefix is the section, such as "redis.tls.".
func (f *file) findKeys(node *yaml.Node, prefix string, known map[string]bool) []error {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if isNull(node) {
		return nil
	}
	if node.Kind != yaml.MappingNode {
		return []error{&Error{
			Origin: f.position(node.Line), Key: strings.TrimSuffix(prefix, "."),
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
			errs = append(errs, &Error{Origin: f.position(key.Line), Key: strings.TrimSuffix(prefix, "."), Problem: "unknown key (not shown)"})
		case twice:
			errs = append(errs, &Error{Origin: f.position(key.Line), Key: name, Problem: fmt.Sprintf("is set twice, first in line %d", first)})
		case strings.Contains(key.Value, "."):
			errs = append(errs, &Error{
				Origin: f.position(key.Line), Key: name, Problem: "is written with dots, which would silently override an indented key",
				Allowed: "indented keys: " + strings.ReplaceAll(lower, ".", ": {") + ": …" + strings.Repeat("}", strings.Count(lower, ".")),
			})
		case name == projectsSection:
			errs = append(errs, f.findProjects(value)...)
		case known[name]:
			f.lines[name] = value.Line
		case known[name+"."]:
			errs = append(errs, f.findKeys(value, name+".", known)...)
		default:
			errs = append(errs, &Error{Origin: f.position(key.Line), Key: name, Problem: "unknown key", Allowed: suggestKey(name, known)})
		}
		seen[lower] = key.Line
	}
	return errs
}

func (f file) position(line int) string { return f.name + ":" + strconv.Itoa(line) }

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)
	// keyName matches a plausible key. Any other text in its place may be part of a secret.
	keyName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,63}$|^<<$`)
	// yamlQuote matches what the parser quotes from the file. Single characters stay visible. An
	// anchor's name does not: it may be a password that begins with *.
	yamlQuote = regexp.MustCompile("'[^']{3,}'|\"[^\"]{3,}\"|`[^`]{3,}`")
)

const yamlAnchor = "unknown anchor"

// syntaxError converts the YAML parser's error to our form.
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

func addFile(v *viper.Viper, name string, origins map[string]origin) (file, error) {
	f, err := readFile(name)
	if err != nil {
		return f, err
	}
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(f.content)); err != nil {
		return f, syntaxError(name, err)
	}
	for key, line := range f.lines {
		origins[key] = origin{layerFile, f.position(line)}
	}
	return f, nil
}
