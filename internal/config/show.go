package config

import (
	"fmt"
	"reflect"
	"strings"

	"fanfare/internal/redact"
)

// Value is one setting as it is in force.
type Value struct {
	Key    Key
	Text   string // as it would be written in the file; a secret is "[redacted]"
	Origin string // "default", "config.yaml:12", "environment REDIS_URL", "flag --redis.url"
}

// Values gives every setting as it is in force, in the order of config.yaml. No secret is in it, not even one that was put into
// a setting that is for something else.
func (s Settings) Values() []Value {
	all := reflect.ValueOf(s)
	var values []Value
	for _, key := range Describe() {
		values = append(values, Value{
			Key:    key,
			Text:   redact.Text(text(all.FieldByIndex(key.index).Interface())),
			Origin: s.origin(key.Name).name,
		})
	}
	return values
}

func text(value any) string {
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
