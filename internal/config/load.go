package config

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"fanfare/internal/redact"
)

// Defaults are the settings of an empty file in an empty environment.
func Defaults() Settings {
	settings, err := Load("", nil, nil)
	if err != nil {
		panic(fmt.Sprintf("config: a default does not pass its own check: %v", err))
	}
	return settings
}

// Load reads the settings from the file (empty: the one that FANFARE_CONFIG names, or none), the environment as
// os.Environ gives it, and those flags that were given and are called as a setting is (see AddFlags); nil means none.
// Everything that is wrong is reported at once: the error is one *Error, or several joined.
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
	if name != "" {
		errs = append(errs, addFile(v, name, origins))
	}
	errs = append(errs, addEnvironment(v, env, keys, origins))
	addFlags(v, flags, keys, origins)

	settings := Settings{origins: origins, warnings: exposedBy(flags, keys)}
	target := reflect.ValueOf(&settings).Elem()
	for _, key := range keys {
		value, err := key.parse(v.Get(key.Name))
		if err != nil {
			errs = append(errs, key.wrong(v.Get(key.Name), err, origins[key.Name]))
			continue
		}
		target.FieldByIndex(key.index).Set(value)
	}
	if err := errors.Join(errs...); err != nil {
		return Settings{}, err
	}
	settings.settleCredentials()
	if err := settings.settleRedis(); err != nil {
		return Settings{}, err
	}
	return settings, settings.check()
}

func addFile(v *viper.Viper, name string, origins map[string]origin) error {
	f, err := readFile(name)
	if err != nil {
		return err
	}
	v.SetConfigType("yaml")
	if err := v.ReadConfig(bytes.NewReader(f.content)); err != nil {
		return syntaxError(name, err)
	}
	for key, line := range f.lines {
		origins[key] = origin{layerFile, f.at(line)}
	}
	return nil
}

// addEnvironment lays the variables over the file. Viper could read them itself, but only from the process.
func addEnvironment(v *viper.Viper, env environment, keys []Key, origins map[string]origin) error {
	over := make(map[string]any)
	for _, key := range keys {
		name, value, found := env.lookup(key)
		if !found {
			continue
		}
		put(over, strings.Split(key.Name, "."), value)
		origins[key.Name] = origin{layerEnv, "environment " + name}
	}
	return v.MergeConfigMap(over)
}

func put(into map[string]any, path []string, value string) {
	if len(path) == 1 {
		into[path[0]] = value
		return
	}
	below, ok := into[path[0]].(map[string]any)
	if !ok {
		below = make(map[string]any)
		into[path[0]] = below
	}
	put(below, path[1:], value)
}

// addFlags lays the flags over all else, as text: bound to a flag, viper would make 0 of --responder.batch=many.
func addFlags(v *viper.Viper, flags *pflag.FlagSet, keys []Key, origins map[string]origin) {
	if flags == nil {
		return
	}
	for _, key := range keys {
		if flag := flags.Lookup(key.Name); flag != nil && flag.Changed {
			v.Set(key.Name, flag.Value.String())
			origins[key.Name] = origin{layerFlag, "flag --" + key.Name}
		}
	}
}

// wrong makes the error of a value that does not fit. A value is quoted only where it is short and of a kind that holds no secret.
func (k Key) wrong(raw any, err error, from origin) *Error {
	e := &Error{Key: k.Name, Origin: from.name, Problem: "this value does not fit", Allowed: k.Allowed}
	if pasted, ok := errors.AsType[*pastedError](err); ok {
		e.Problem, e.Allowed = pasted.Error(), k.file
	}
	if wrong, ok := errors.AsType[*urlError](err); ok {
		e.Problem, e.Allowed = wrong.Error(), wrong.cure()
	}
	if shown := fmt.Sprint(raw); k.mayBeQuoted(raw, shown) {
		e.Problem = fmt.Sprintf("%q does not fit", shown)
		if limit, ok := errors.AsType[*limitError](err); ok {
			e.Problem = fmt.Sprintf("%v %v", raw, limit)
		}
		if serviceLink(fmt.Sprint(raw)) {
			e.Allowed += " (" + enableServiceLinks + ")"
		}
	}
	return e
}

func (k Key) mayBeQuoted(raw any, shown string) bool {
	switch raw.(type) {
	case string, int, int64, uint64, float64, bool:
	default:
		return false
	}
	const longest = 40
	if k.Secret || k.typ == reflect.TypeFor[URL]() || len(shown) > longest || contentOf(shown) != "" || redact.Found(shown) {
		return false
	}
	return k.typ.Kind() != reflect.String || len(k.oneof) > 0 || k.typ == reflect.TypeFor[Address]()
}
