package main

import (
	"encoding/json"
	"fmt"
	"io"

	"fanfare/internal/operator"
)

// output prints what a command found: for a person, or as JSON with --json.
type output struct {
	w      io.Writer
	asJSON bool
}

// show prints value as one line of JSON, or lets human write it.
func (o output) show(value any, human func(w io.Writer)) error {
	if !o.asJSON {
		human(o.w)
		return nil
	}
	encoder := json.NewEncoder(o.w)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}

// done tells a person that something was done; with --json it is the object itself.
func (o output) done(value any, format string, args ...any) error {
	return o.show(value, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

// plural writes a count with its noun.
func plural(n int64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return operator.Thousands(n) + " " + noun
}
