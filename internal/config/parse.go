package config

import (
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// errForm is the verdict on a value whose kind is wrong; the Key's Allowed says what would be right.
var errForm = errors.New("wrong form")

// parse reads a value as it came from a flag or the environment (always a string), or from YAML, where only what the
// key's type is written as is taken: no number for a duration (15 what?), no fraction for a whole number.
func (k Key) parse(raw any) (reflect.Value, error) {
	value := reflect.New(k.typ).Elem()
	var err error
	switch raw := raw.(type) {
	case string:
		err = k.parseText(value, strings.TrimSpace(raw))
	case int:
		err = k.parseInt(value, int64(raw))
	case bool:
		if k.typ.Kind() != reflect.Bool {
			return value, errForm
		}
		value.SetBool(raw)
	case []any:
		err = k.parseList(value, raw)
	case map[string]any:
		err = k.parseObject(value, raw)
	default:
		err = errForm
	}
	return value, err
}

func (k Key) parseInt(value reflect.Value, n int64) error {
	if k.typ != reflect.TypeFor[int]() && k.typ != reflect.TypeFor[Size]() {
		return errForm
	}
	value.SetInt(n)
	return k.checkLimits(n)
}

// parseObject takes JSON that was pasted into YAML, where it is a mapping.
func (k Key) parseObject(value reflect.Value, object map[string]any) error {
	text, err := json.Marshal(object)
	if err != nil || !k.Secret {
		return errForm
	}
	value.SetString(string(text))
	return nil
}

func (k Key) parseList(value reflect.Value, items []any) error {
	if k.typ != reflect.TypeFor[[]string]() {
		return errForm
	}
	for _, item := range items {
		text, ok := item.(string)
		if !ok {
			return errForm
		}
		value.Set(reflect.Append(value, reflect.ValueOf(text)))
	}
	return nil
}

func (k Key) parseText(value reflect.Value, text string) error {
	switch k.typ {
	case reflect.TypeFor[time.Duration]():
		d, err := time.ParseDuration(text)
		if err != nil {
			return errForm
		}
		value.SetInt(int64(d))
		return k.checkLimits(int64(d))
	case reflect.TypeFor[Size]():
		size, err := parseSize(text)
		if err != nil {
			return errForm
		}
		value.SetInt(int64(size))
		return k.checkLimits(int64(size))
	case reflect.TypeFor[int]():
		n, err := strconv.Atoi(text)
		if err != nil {
			return errForm
		}
		value.SetInt(int64(n))
		return k.checkLimits(int64(n))
	case reflect.TypeFor[bool]():
		b, err := strconv.ParseBool(text)
		if err != nil {
			return errForm
		}
		value.SetBool(b)
		return nil
	case reflect.TypeFor[[]string]():
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				value.Set(reflect.Append(value, reflect.ValueOf(item)))
			}
		}
		return nil
	}
	text, err := k.normalise(text)
	value.SetString(text)
	return err
}
