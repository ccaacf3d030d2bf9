package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"fanfare/internal/redact"
)

// AddFlags adds one flag per setting of the given sections, or of all. Load reads them.
//
// A flag is named like its setting: --queue.lease. Secrets have no flag, because others can read a
// command line. A URL has one, but a URL with a password belongs in the environment or the file.
func AddFlags(flags *pflag.FlagSet, sections ...string) {
	for _, key := range Describe() {
		name, _, _ := strings.Cut(key.Name, ".")
		if key.Secret || len(sections) > 0 && !slices.Contains(sections, name) {
			continue
		}
		flag := flags.VarPF(&flagValue{text: key.Default, kind: key.kind()}, key.Name, "", key.Help)
		if key.typ.Kind() == reflect.Bool {
			flag.NoOptDefVal = "true"
		}
	}
}

// flagValue keeps the text as typed. Load parses it, as it does for every other source.
type flagValue struct{ text, kind string }

func (v *flagValue) String() string { return v.text }
func (v *flagValue) Type() string   { return v.kind }
func (v *flagValue) Set(text string) error {
	v.text = text
	return nil
}

// kind returns the word that --help shows behind the flag.
func (k Key) kind() string {
	switch words := strings.Fields(k.typ.String()); {
	case len(k.oneof) > 0:
		return strings.Join(k.oneof, "|")
	case k.typ.PkgPath() == "":
		return strings.TrimPrefix(words[0], "[]")
	}
	return strings.ToLower(k.typ.Name())
}

// addFlags overrides all other sources, as text. If viper bound the flag itself, it would turn
// --responder.batch=many into 0.
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

// Warnings returns what works but is dangerous in how the settings were given.
func (s Settings) Warnings() []string { return s.warnings }

// findExposedFlags warns of flags with a secret, since every user of a machine can read its command
// lines.
func findExposedFlags(flags *pflag.FlagSet, keys []Key) []string {
	if flags == nil {
		return nil
	}
	var warnings []string
	for _, key := range keys {
		if flag := flags.Lookup(key.Name); flag != nil && flag.Changed && redact.HasCredential(flag.Value.String()) {
			warnings = append(warnings, ExposedFlag("--"+key.Name, key.Env[len(key.Env)-1]))
		}
	}
	return warnings
}

// ExposedFlag returns a warning of a secret in a flag, and names a variable to use instead.
func ExposedFlag(flag, variable string) string {
	return fmt.Sprintf("a password on the command line can be read by all users of this machine (ps): %s; set %s instead", flag, variable)
}

// SecretFlag says why a setting has no flag, and where to set it. It returns "" for a name that is
// not a secret setting.
func SecretFlag(name string) string {
	for _, key := range Describe() {
		if key.Secret && key.Name == name {
			return fmt.Sprintf("has no flag, since all users of this machine can read a command line; set %s, or %s in the settings file", key.Env[len(key.Env)-1], key.Name)
		}
	}
	return ""
}
