package config

import "strings"

// Error is one thing that is wrong with the settings. Programs that meet one exit with code 2.
type Error struct {
	Key     string // "queue.lease"; empty when a file as a whole is wrong
	Origin  string // "config.yaml:12", "environment FANFARE_QUEUE_LEASE", "flag --queue.lease"
	Problem string // what is wrong; never holds a secret
	Allowed string // what would be right; may be empty
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
