package main

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// output prints what a command found: for a person, or as JSON with --json.
type output struct {
	w      io.Writer
	asJSON bool
}

// show prints value as one line of JSON, or lets human write it.
func (o output) show(value any, human func(w io.Writer)) error {
	if o.asJSON {
		if err := json.NewEncoder(o.w).Encode(value); err != nil {
			return fmt.Errorf("print JSON: %w", err)
		}
		return nil
	}
	human(o.w)
	return nil
}

// done tells a person that something was done; with --json it is the object itself.
func (o output) done(value any, format string, args ...any) error {
	return o.show(value, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

// table lines up tab-separated rows.
func table(w io.Writer, write func(w io.Writer)) {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	write(tw)
	tw.Flush()
}

// thousands writes a count with separators, as a person reads it.
func thousands(n int64) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
