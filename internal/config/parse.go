package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errForm is the error of a value of the wrong type. The Key's Allowed says what is valid.
var errForm = errors.New("wrong form")

// parse reads a value from a flag or a variable, which is always a string, or from YAML. YAML
// values must have the exact type: no number for a duration (15 what?), no fraction for a whole
// number.
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

// parseObject reads JSON that was pasted into YAML, where it is a mapping.
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
	text, err := k.normaliseText(text)
	value.SetString(text)
	return err
}

// normaliseText checks text by the kind of its setting, and unifies the spelling of words.
func (k Key) normaliseText(text string) (string, error) {
	switch {
	case len(k.oneof) > 0:
		text = strings.ToLower(text)
		if !slices.Contains(k.oneof, text) {
			return text, errForm
		}
	case k.typ == reflect.TypeFor[URL](), k.typ == reflect.TypeFor[HookURL]():
		return text, k.checkURL(text)
	case k.file != "":
		if content := detectContent(text); content != "" {
			return "", &pastedError{content}
		}
	case k.typ == reflect.TypeFor[Address]():
		return parseAddress(text)
	case k.typ == reflect.TypeFor[Statement]():
		return cmp.Or(text, statementDefault), nil
	case k.min != "" && text == "":
		return text, errForm
	}
	return text, nil
}

// checkURL hides the parser's error, because it quotes the address with its password. A URL without
// listed schemes is checked by the room that uses it.
func (k Key) checkURL(text string) error {
	if text == "" || len(k.schemes) == 0 {
		return nil
	}
	scheme, _, _ := strings.Cut(text, ":")
	if character, found := findBadCharacter(text); found && scheme != unixScheme {
		return &urlError{character, passwordVariables[k.Name]}
	}
	parsed, err := url.Parse(text)
	if err != nil || !slices.Contains(k.schemes, parsed.Scheme) {
		return errForm
	}
	if parsed.Opaque == "" && parsed.Host == "" && parsed.Path == "" {
		return errForm
	}
	return nil
}

func parseAddress(text string) (string, error) {
	if text == "" || text == addressOff {
		return "", nil
	}
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return text, errForm
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return text, errForm
	}
	return text, nil
}

// limitError is the error of a value that is too small or too large.
type limitError struct{ word, limit string }

func (e *limitError) Error() string { return fmt.Sprintf("is %s %s", e.word, e.limit) }

func (k Key) checkLimits(n int64) error {
	if k.min != "" && n < k.parseLimit(k.min) {
		return &limitError{"below", k.min}
	}
	if k.max != "" && n > k.parseLimit(k.max) {
		return &limitError{"above", k.max}
	}
	return nil
}

// parseLimit reads a bound from the struct tags, in the syntax of its setting.
func (k Key) parseLimit(text string) int64 {
	bound := k
	bound.min, bound.max = "", ""
	value, err := bound.parse(text)
	if err != nil {
		panic(fmt.Sprintf("config: the limit %q of %s cannot be read", text, k.Name))
	}
	return value.Int()
}
