package config

import (
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"
)

// EnvPrefix begins the environment variables that are ours: section.key is FANFARE_SECTION_KEY.
const EnvPrefix = "FANFARE_"

// Key describes one setting.
type Key struct {
	Name    string   // "queue.lease"
	Env     []string // the environment's names for it, the strongest first
	Default string   // as it is written in the file; empty: none
	Help    string   // what it means, in one line
	Allowed string   // what may be written, such as "a duration such as 15s, at least 100ms"
	Secret  bool     // a value that is never printed, and that has no flag: others can read a command line

	oneof, schemes []string
	file           string // what to use instead of the content of the file that is named
	min, max       string
	typ            reflect.Type
	index          []int
}

// Describe gives every setting, in the order of config.yaml.
func Describe() []Key {
	var keys []Key
	for _, section := range sections() {
		keys = append(keys, section.keys...)
	}
	return keys
}

// section is a group of keys, and what the group is about.
type section struct {
	name, help string
	keys       []Key
}

func sections() []section {
	var all []section
	for field := range tagged(reflect.TypeFor[Settings]()) {
		name := field.Tag.Get("key")
		all = append(all, section{name: name, help: field.Tag.Get("help"), keys: keysOf(field.Type, name+".", field.Index)})
	}
	return all
}

func tagged(t reflect.Type) iter.Seq[reflect.StructField] {
	return func(yield func(reflect.StructField) bool) {
		for i := range t.NumField() {
			if field := t.Field(i); field.Tag.Get("key") != "" && !yield(field) {
				return
			}
		}
	}
}

func keysOf(t reflect.Type, prefix string, index []int) []Key {
	var keys []Key
	for field := range tagged(t) {
		name := prefix + field.Tag.Get("key")
		at := append(append([]int{}, index...), field.Index...)
		if field.Type.Kind() == reflect.Struct {
			keys = append(keys, keysOf(field.Type, name+".", at)...)
			continue
		}
		keys = append(keys, keyOf(field, name, at))
	}
	return keys
}

func keyOf(field reflect.StructField, name string, index []int) Key {
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
	key.Allowed = key.allowed()
	return key
}

func envName(name string) string {
	return EnvPrefix + strings.ToUpper(strings.ReplaceAll(name, ".", "_"))
}

// allowed says in words what parse and check accept.
func (k Key) allowed() string {
	switch {
	case len(k.oneof) > 0:
		return strings.Join(k.oneof, ", ")
	case len(k.schemes) > 0:
		return "a URL that begins with " + strings.Join(k.schemes, ":, ") + ":"
	}
	switch k.typ {
	case reflect.TypeFor[Secret]():
		return "a text in quotes"
	case reflect.TypeFor[time.Duration]():
		return "a duration such as 15s, 20ms or 24h" + k.limits()
	case reflect.TypeFor[Size]():
		return "a size such as 64KiB or 4MiB" + k.limits()
	case reflect.TypeFor[Address]():
		return "host:port, or off"
	case reflect.TypeFor[Statement]():
		return "an SQL statement, default or off"
	case reflect.TypeFor[[]string]():
		return "a list, or in one line host:port,host:port"
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[int]():
		return "a whole number" + k.limits()
	}
	if k.min != "" {
		return "a text that is not empty"
	}
	return "a text (in quotes where it looks like a number)"
}

func (k Key) limits() string {
	switch {
	case k.min != "" && k.max != "":
		return fmt.Sprintf(", from %s to %s", k.min, k.max)
	case k.min != "":
		return ", at least " + k.min
	}
	return ""
}
