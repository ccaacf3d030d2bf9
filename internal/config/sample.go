package config

import (
	"fmt"
	"reflect"
	"strings"

	"fanfare/internal/redact"
)

const sampleHead = `# Fanfare's settings, each at its default. Leave out what you do not change.
#
# A flag overrides the environment, the environment this file, this file the default. The flag of queue.lease is
# --queue.lease, its variable FANFARE_QUEUE_LEASE; other variables that work are in square brackets. Passwords have no flag.
# An unknown key, an unknown FANFARE_ variable or a value that is not valid ends the program with exit code 2.
# Programs read this file if --config or FANFARE_CONFIG names it.
`

// Sample returns config.yaml: every setting with its meaning, at its default.
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
	b.WriteString(sampleProjects)
	return b.String()
}

const sampleProjects = `
# Several Firebase projects in one fleet, by their ids: each has its own credentials, quota, breakers and connections. A project
# may set what the sections fcm, pacing and breaker have; what it leaves out is as there. Only a file can have this section.
# projects:
#   my-shop:
#     fcm: {credentials_file: /etc/fanfare/my-shop.json}
#     pacing: {per_minute: 300000}
`

// comment returns the meaning, and the limits and conventional names if there are any.
func (k Key) comment() string {
	comment := k.Help
	if len(k.oneof) > 0 {
		comment += "; one of " + k.Allowed
	}
	if k.min != "" && k.typ.Kind() != reflect.String {
		comment += " (" + strings.TrimPrefix(k.describeLimits(), ", ") + ")"
	}
	if len(k.Env) > 1 {
		comment += " [" + strings.Join(k.Env[1:], ", ") + "]"
	}
	return comment
}

// yaml writes the default so that YAML reads the same type back.
func (k Key) yaml() string {
	switch k.typ.Kind() {
	case reflect.Slice:
		return "[]"
	case reflect.String:
		return fmt.Sprintf("%q", k.Default)
	}
	return k.Default
}

// Value is one setting in force.
type Value struct {
	Key    Key
	Text   string // as written in the file; a secret is "[redacted]"
	Origin string // "default", "config.yaml:12", "environment REDIS_URL", "flag --redis.url"
}

// Values returns every setting in force, in the order of config.yaml. It hides secrets, even those
// pasted into the wrong setting.
func (s Settings) Values() []Value {
	all := reflect.ValueOf(s)
	var values []Value
	for _, key := range Describe() {
		values = append(values, Value{
			Key:    key,
			Text:   redact.Text(formatValue(all.FieldByIndex(key.index).Interface())),
			Origin: s.origin(key.Name).name,
		})
	}
	return append(values, s.projectValues()...)
}

// projectValues returns the settings that projects have for themselves.
func (s Settings) projectValues() (values []Value) {
	for _, p := range s.Projects {
		for _, key := range projectKeys() {
			if p.origin(key.Name) == s.origin(key.Name) {
				continue
			}
			text := redact.Text(formatValue(reflect.ValueOf(p).FieldByIndex(key.index).Interface()))
			from := p.origin(key.Name).name
			key.Name = projectsSection + "." + p.FCM.ProjectID + "." + key.Name
			values = append(values, Value{Key: key, Text: text, Origin: from})
		}
	}
	return values
}

func formatValue(value any) string {
	switch value := value.(type) {
	case []string:
		return strings.Join(value, ",")
	case Address:
		if value == "" {
			return addressOff
		}
	}
	return fmt.Sprint(value)
}
