// Package redact keeps secrets out of what is printed: a type whose value cannot be printed, and a function that hides
// what looks like a credential in the text of a library or a person.
package redact

import "strconv"

// Hidden stands where a secret stood.
const Hidden = "[redacted]"

// Secret is a text that is never printed.
type Secret string

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the text; it shows only whether there is one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return Hidden
}

// GoString hides the text from %#v too.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the text from JSON and from logs.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
