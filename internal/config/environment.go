package config

import (
	"cmp"
	"slices"
	"strings"
)

// FileVariable names the settings file where no flag does.
const FileVariable = EnvPrefix + "CONFIG"

// environment holds the variables that are settings.
type environment map[string]string

// readEnvironment takes the settings out of environ ("NAME=value"). A variable that begins with FANFARE_ and that
// nobody knows is an error. An empty variable is the same as an absent one, as compose files and CI systems write it.
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
			errs = append(errs, &Error{Origin: "environment " + name, Problem: "unknown variable", Allowed: hint(name, value, known)})
		}
	}
	slices.SortFunc(errs, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	return found, errs
}

// lookup gives the variable that sets the key: FANFARE_SECTION_KEY before the conventional name.
func (e environment) lookup(key Key) (name, value string, found bool) {
	for _, name := range key.Env {
		if value, found := e[name]; found {
			return name, value, true
		}
	}
	return "", "", false
}

// hint recognises the variables that Kubernetes makes for a Service called "fanfare".
func hint(name, value string, known map[string]bool) string {
	if strings.HasSuffix(name, "_SERVICE_HOST") || strings.HasSuffix(name, "_SERVICE_PORT") || serviceLink(value) {
		return enableServiceLinks
	}
	return nearest(name, known)
}

const enableServiceLinks = "enableServiceLinks: false in the pod, for this variable comes from Kubernetes"

// serviceLink recognises what Kubernetes writes into REDIS_PORT where a Service is called "redis".
func serviceLink(value string) bool { return strings.HasPrefix(value, "tcp://") }
