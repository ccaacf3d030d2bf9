package config

import (
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// AddFlags gives the flag set one flag per setting of the named sections (all, where none is named), called as the
// setting is: --queue.lease. Load reads them. Secrets have no flag, because a command line can be read by others. A URL has
// one, for those without a password in them: one with a password belongs into the environment or the file.
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

// flagValue keeps the text as it was typed: it is parsed once, by Load, so that every source is judged alike.
type flagValue struct{ text, kind string }

func (v *flagValue) String() string { return v.text }
func (v *flagValue) Type() string   { return v.kind }
func (v *flagValue) Set(text string) error {
	v.text = text
	return nil
}

// kind is the word that --help puts behind the flag.
func (k Key) kind() string {
	switch words := strings.Fields(k.typ.String()); {
	case len(k.oneof) > 0:
		return strings.Join(k.oneof, "|")
	case k.typ.PkgPath() == "":
		return strings.TrimPrefix(words[0], "[]")
	}
	return strings.ToLower(k.typ.Name())
}
