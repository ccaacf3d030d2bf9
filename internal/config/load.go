package config

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"fanfare/internal/redact"
)

// Defaults returns the settings of an empty file in an empty environment.
func Defaults() Settings {
	settings, err := Load("", nil, nil)
	if err != nil {
		panic(fmt.Sprintf("config: a default is not valid: %v", err))
	}
	return settings
}

// Load reads the settings from a file, the environment and flags, and reports all errors at once:
// one *Error, or several joined.
//
// If name is empty, FANFARE_CONFIG names the file, if any. environ has the form of os.Environ. From
// flags, which may be nil, Load takes those that were set and are named like a setting (see
// AddFlags).
func Load(name string, flags *pflag.FlagSet, environ []string) (Settings, error) {
	v := viper.New()
	keys := Describe()
	for _, key := range keys {
		v.SetDefault(key.Name, key.Default)
	}
	env, errs := readEnvironment(environ)
	origins := make(map[string]origin)
	if name == "" {
		name = env[FileVariable]
	}
	var read file
	if name != "" {
		var err error
		read, err = addFile(v, name, origins)
		errs = append(errs, err)
	}
	errs = append(errs, addEnvironment(v, env, keys, origins))
	addFlags(v, flags, keys, origins)

	settings := Settings{origins: origins, warnings: findExposedFlags(flags, keys)}
	target := reflect.ValueOf(&settings).Elem()
	for _, key := range keys {
		value, err := key.parse(v.Get(key.Name))
		if err != nil {
			errs = append(errs, key.newError(v.Get(key.Name), err, origins[key.Name]))
			continue
		}
		target.FieldByIndex(key.index).Set(value)
	}
	if err := errors.Join(errs...); err != nil {
		return Settings{}, err
	}
	settings.resolveCredentials()
	if err := settings.mergeRedisURL(); err != nil {
		return Settings{}, err
	}
	if err := settings.check(); err != nil {
		return Settings{}, err
	}
	return settings, settings.addProjects(read)
}

// newError returns the error of a value that is not valid. It quotes the value only if that is
// short and cannot contain a secret.
func (k Key) newError(raw any, err error, from origin) *Error {
	e := &Error{Key: k.Name, Origin: from.name, Problem: "this value is not valid", Allowed: k.Allowed}
	if pasted, ok := errors.AsType[*pastedError](err); ok {
		e.Problem, e.Allowed = pasted.Error(), k.file
	}
	if wrong, ok := errors.AsType[*urlError](err); ok {
		e.Problem, e.Allowed = wrong.Error(), wrong.advice()
	}
	if shown := fmt.Sprint(raw); k.isQuotable(raw, shown) {
		e.Problem = fmt.Sprintf("%q is not valid", shown)
		if limit, ok := errors.AsType[*limitError](err); ok {
			e.Problem = fmt.Sprintf("%v %v", raw, limit)
		}
		if isServiceLink(fmt.Sprint(raw)) {
			e.Allowed += " (" + enableServiceLinks + ")"
		}
	}
	return e
}

func (k Key) isQuotable(raw any, shown string) bool {
	switch raw.(type) {
	case string, int, int64, uint64, float64, bool:
	default:
		return false
	}
	const longest = 40
	if k.Secret || k.typ == reflect.TypeFor[URL]() || k.typ == reflect.TypeFor[HookURL]() || len(shown) > longest || detectContent(shown) != "" || redact.HasCredential(shown) {
		return false
	}
	return k.typ.Kind() != reflect.String || len(k.oneof) > 0 || k.typ == reflect.TypeFor[Address]()
}

// layer orders the sources of a setting. Later layers take precedence.
type layer uint8

const (
	layerDefault layer = iota
	layerFile
	layerEnv
	layerFlag
)

// origin is the source of a setting's value.
type origin struct {
	layer layer
	name  string // "default", "config.yaml:12", "environment REDIS_URL", "flag --redis.url"
}

// origin returns the source of a setting's value.
func (s Settings) origin(key string) origin {
	if from, found := s.origins[key]; found {
		return from
	}
	return origin{layerDefault, "default"}
}

// Error is one fault in the settings. A program that finds one exits with code 2.
type Error struct {
	Key     string // "queue.lease"; empty if it concerns a whole file
	Origin  string // "config.yaml:12", "environment FANFARE_QUEUE_LEASE", "flag --queue.lease"
	Problem string // what is wrong, without secrets
	Allowed string // what would be valid; may be empty
}

// Error puts the place first, so that a terminal or an editor can jump to it.
func (e *Error) Error() string {
	var b strings.Builder
	for _, part := range []string{e.Origin, e.Key} {
		if part != "" {
			b.WriteString(part)
			b.WriteString(": ")
		}
	}
	b.WriteString(e.Problem)
	if e.Allowed != "" {
		b.WriteString("; use ")
		b.WriteString(e.Allowed)
	}
	return b.String()
}
