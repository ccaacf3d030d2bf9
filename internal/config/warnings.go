package config

import (
	"fmt"

	"github.com/spf13/pflag"

	"fanfare/internal/redact"
)

// Warnings are what is dangerous about the way the settings were given, though it works.
func (s Settings) Warnings() []string { return s.warnings }

// exposedBy warns of flags that hold a secret: every user of a machine can read its command lines.
func exposedBy(flags *pflag.FlagSet, keys []Key) []string {
	if flags == nil {
		return nil
	}
	var warnings []string
	for _, key := range keys {
		if flag := flags.Lookup(key.Name); flag != nil && flag.Changed && redact.Found(flag.Value.String()) {
			warnings = append(warnings, ExposedFlag("--"+key.Name, key.Env[len(key.Env)-1]))
		}
	}
	return warnings
}

// ExposedFlag warns of a flag with a secret, and names a variable to use in its place.
func ExposedFlag(flag, variable string) string {
	return fmt.Sprintf("a password on the command line can be read by all users of this machine (ps): %s; set %s instead", flag, variable)
}

// SecretFlag says why a setting has no flag, and where it belongs; "" for a name that is not of such a setting.
func SecretFlag(name string) string {
	for _, key := range Describe() {
		if key.Secret && key.Name == name {
			return fmt.Sprintf("has no flag, since all users of this machine can read a command line; set %s, or %s in the settings file", key.Env[len(key.Env)-1], key.Name)
		}
	}
	return ""
}
