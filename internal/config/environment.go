package config

import (
	"cmp"
	"slices"
	"strings"

	"github.com/spf13/viper"
)

// FileVariable names the settings file, unless the flag does.
const FileVariable = EnvPrefix + "CONFIG"

// environment holds the variables that are settings.
type environment map[string]string

// readEnvironment picks the settings from environ ("NAME=value"). An unknown variable that begins
// with FANFARE_ is an error. An empty variable counts as absent, because compose files and CI
// systems write those.
func readEnvironment(environ []string) (environment, []error) {
	known := map[string]bool{FileVariable: true}
	for _, key := range Describe() {
		for _, name := range key.Env {
			known[name] = true
		}
	}
	found := make(environment)
	var errs []error
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		switch {
		case known[name] && value != "":
			found[name] = value
		case !known[name] && strings.HasPrefix(name, EnvPrefix):
			errs = append(errs, &Error{Origin: "environment " + name, Problem: "unknown variable", Allowed: suggestVariable(name, value, known)})
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return found, errs
}

// lookup returns the variable that sets the key. FANFARE_SECTION_KEY takes precedence over the
// conventional name.
func (e environment) lookup(key Key) (name, value string, found bool) {
	for _, name := range key.Env {
		if value, found := e[name]; found {
			return name, value, true
		}
	}
	return "", "", false
}

// addEnvironment overrides the file with the variables. Viper could read them itself, but only from
// the process.
func addEnvironment(v *viper.Viper, env environment, keys []Key, origins map[string]origin) error {
	over := make(map[string]any)
	for _, key := range keys {
		name, value, found := env.lookup(key)
		if !found {
			continue
		}
		setPath(over, strings.Split(key.Name, "."), value)
		origins[key.Name] = origin{layerEnv, "environment " + name}
	}
	return v.MergeConfigMap(over)
}

func setPath(into map[string]any, path []string, value string) {
	if len(path) == 1 {
		into[path[0]] = value
		return
	}
	below, ok := into[path[0]].(map[string]any)
	if !ok {
		below = make(map[string]any)
		into[path[0]] = below
	}
	setPath(below, path[1:], value)
}
