package config

import (
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"
)

// EnvPrefix is the prefix of our own variables: section.key is FANFARE_SECTION_KEY.
const EnvPrefix = "FANFARE_"

// Key describes one setting.
type Key struct {
	Name    string   // "queue.lease"
	Env     []string // its variables; the first takes precedence
	Default string   // as written in the file; empty: none
	Help    string   // its meaning, in one line
	Allowed string   // valid values, such as "a duration such as 15s, at least 100ms"
	Secret  bool     // never printed, and without a flag, since others can read a command line

	oneof, schemes []string
	file           string // what to use instead of a file's content
	min, max       string
	typ            reflect.Type
	index          []int
}

// Describe returns every setting, in the order of config.yaml.
func Describe() []Key {
	var keys []Key
	for _, section := range sections() {
		keys = append(keys, section.keys...)
	}
	return keys
}

// section is a group of keys and its subject.
type section struct {
	name, help string
	keys       []Key
}

func sections() []section {
	var all []section
	for field := range taggedFields(reflect.TypeFor[Settings]()) {
		name := field.Tag.Get("key")
		all = append(all, section{name: name, help: field.Tag.Get("help"), keys: collectKeys(field.Type, name+".", field.Index)})
	}
	return all
}

func taggedFields(t reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if field := t.Field(i); field.Tag.Get("key") != "" && !yield(field) {
				return
			}
		}
	}
}

func collectKeys(t reflect.Type, prefix string, index []int) []Key {
	var keys []Key
	for field := range taggedFields(t) {
		name := prefix + field.Tag.Get("key")
		at := append(append([]int{}, index...), field.Index...)
		if field.Type.Kind() == reflect.Struct {
			keys = append(keys, collectKeys(field.Type, name+".", at)...)
			continue
		}
		keys = append(keys, newKey(field, name, at))
	}
	return keys
}

func newKey(field reflect.StructField, name string, index []int) Key {
	key := Key{
		Name:    name,
		Env:     append([]string{envName(name)}, strings.Fields(field.Tag.Get("env"))...),
		Default: field.Tag.Get("default"),
		Help:    field.Tag.Get("help"),
		Secret:  field.Type == reflect.TypeFor[Secret](),
		oneof:   strings.Fields(field.Tag.Get("oneof")),
		schemes: strings.Fields(field.Tag.Get("schemes")),
		min:     field.Tag.Get("min"),
		max:     field.Tag.Get("max"),
		file:    field.Tag.Get("file"),
		typ:     field.Type,
		index:   index,
	}
	key.Allowed = key.describeAllowed()
	return key
}

func envName(name string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}

// describeAllowed says in words what parse and check accept.
func (k Key) describeAllowed() string {
	switch {
	case len(k.oneof) > 0:
		return strings.Join(k.oneof, ", ")
	case len(k.schemes) > 0:
		return "a URL that begins with " + strings.Join(k.schemes, ":, ") + ":"
	}
	switch k.typ {
	case reflect.TypeFor[Secret]():
		return "text in quotes"
	case reflect.TypeFor[time.Duration]():
		return "a duration such as 15s, 20ms or 24h" + k.describeLimits()
	case reflect.TypeFor[Size]():
		return "a size such as 64KiB or 4MiB" + k.describeLimits()
	case reflect.TypeFor[Address]():
		return "host:port, or off"
	case reflect.TypeFor[Statement]():
		return "an SQL statement, default or off"
	case reflect.TypeFor[[]string]():
		return "a list, or in one line a,b"
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[int]():
		return "a whole number" + k.describeLimits()
	}
	if k.min != "" {
		return "text that is not empty"
	}
	return "text (in quotes if it looks like a number)"
}

func (k Key) describeLimits() string {
	switch {
	case k.min != "" && k.max != "":
		return fmt.Sprintf(", from %s to %s", k.min, k.max)
	case k.min != "":
		return ", at least " + k.min
	}
	return ""
}
