package config

import (
	"fmt"
	"reflect"
	"strings"
)

const sampleHead = `# Fanfare's settings, every one at its default. Leave out what you do not change.
#
# A flag wins over the environment, the environment over this file, this file over the default. The flag of queue.lease
# is --queue.lease, its variable FANFARE_QUEUE_LEASE; other names that work stand behind the meaning. Passwords have no flag.
# Unknown keys, unknown FANFARE_ variables and values that do not fit end the program with exit code 2.
# This file is read where --config or FANFARE_CONFIG names it.
`

// Sample writes config.yaml: every setting at its default, with its meaning.
func Sample() string {
	var b strings.Builder
	b.WriteString(sampleHead)
	for _, section := range sections() {
		fmt.Fprintf(&b, "\n# %s\n%s:\n", section.help, section.name)
		group := ""
		for _, key := range section.keys {
			path := strings.Split(key.Name, ".")
			indent := strings.Repeat("  ", len(path)-1)
			if below := path[1]; len(path) == 3 && below != group {
				group = below
				fmt.Fprintf(&b, "  %s:\n", group)
			}
			fmt.Fprintf(&b, "%s# %s\n%s%s: %s\n", indent, key.comment(), indent, path[len(path)-1], key.yaml())
		}
	}
	return b.String()
}

// comment is the meaning, the limits and the conventional names, as far as they add something.
func (k Key) comment() string {
	comment := k.Help
	if len(k.oneof) > 0 {
		comment += "; one of " + k.Allowed
	}
	if k.min != "" && k.typ.Kind() != reflect.String {
		comment += " (" + strings.TrimPrefix(k.limits(), ", ") + ")"
	}
	if len(k.Env) > 1 {
		comment += " [" + strings.Join(k.Env[1:], ", ") + "]"
	}
	return comment
}

// yaml writes the default so that it is read back as the same type.
func (k Key) yaml() string {
	switch k.typ.Kind() {
	case reflect.Slice:
		return "[]"
	case reflect.String:
		return fmt.Sprintf("%q", k.Default)
	}
	return k.Default
}
