package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Value is one setting as it is in force.
type Value struct {
	Key    Key
	Text   string // as it would be written in the file; a secret is "[redacted]"
	Origin string // "default", "config.yaml:12", "environment REDIS_URL", "flag --redis.url"
}

// Values gives every setting as it is in force, in the order of config.yaml; no secret is in it.
func (s Settings) Values() []Value {
	all := reflect.ValueOf(s)
	var values []Value
	for _, key := range Describe() {
		values = append(values, Value{
			Key:    key,
			Text:   text(all.FieldByIndex(key.index).Interface()),
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
