package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
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
	content, err := os.ReadFile(name)
	if err != nil {
		return f, &Error{Origin: name, Problem: "cannot be read: " + reason(err)}
	}
	f.content = content
	var document yaml.Node
	if err := yaml.Unmarshal(content, &document); err != nil {
		return f, syntaxError(name, err)
	}
	if len(document.Content) == 0 { // nothing but comments
		return f, nil
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
	if node.Kind == yaml.ScalarNode && node.Tag == "!!null" {
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
		switch first, twice := seen[key.Value]; {
		case twice:
			errs = append(errs, &Error{Origin: f.at(key.Line), Key: name, Problem: fmt.Sprintf("stands twice, first in line %d", first)})
		case known[name]:
			f.lines[name] = value.Line
		case known[name+"."]:
			errs = append(errs, f.walk(value, name+".", known)...)
		default:
			errs = append(errs, &Error{Origin: f.at(key.Line), Key: name, Problem: "unknown key", Allowed: nearest(name, known)})
		}
		seen[key.Value] = key.Line
	}
	return errs
}

func (f file) at(line int) string { return f.name + ":" + strconv.Itoa(line) }

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

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
	return &Error{Origin: at, Problem: "not YAML: " + text}
}
