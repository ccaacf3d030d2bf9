package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// output prints the result of a command, for a person or as JSON.
type output struct {
	w      io.Writer
	asJSON bool
	wide   bool // tables show all columns, and nothing is shortened
}

// format is the value of --output.
type format struct{ c *cli }

// The values of --output. By default a table fits textColumns.
const (
	formatTable = "table"
	formatWide  = "wide"
	formatJSON  = "json"
)

func (f format) Type() string { return "form" }

func (f format) String() string {
	switch {
	case f.c == nil:
		return ""
	case f.c.asJSON:
		return formatJSON
	case f.c.wide:
		return formatWide
	}
	return formatTable
}

// Set refuses an unknown value, which would silently print something else.
func (f format) Set(text string) error {
	switch text {
	case formatTable, formatWide, formatJSON:
		f.c.wide = text == formatWide
		f.c.asJSON = f.c.asJSON || text == formatJSON
		return nil
	}
	return fmt.Errorf("there is no form %q: use %s, %s or %s", text, formatTable, formatWide, formatJSON)
}

// textColumns is the width of text where no terminal has another.
const textColumns = 80

// columns is the width in which text is wrapped: a terminal's own, otherwise textColumns. It is 0,
// without a limit, if all is shown.
func (o output) columns() int {
	if o.wide {
		return 0
	}
	return cmp.Or(terminal.Columns(o.w), textColumns)
}

// indent puts a text behind a label, and wraps it below its own beginning. No line is wider than
// the columns: a longer word is broken, and a long label is shortened.
func (o output) indent(label, text string) string {
	columns := o.columns()
	if columns == 0 {
		return label + text
	}
	if displayWidth(label) > columns/2 {
		label = keepEnds(label, columns/2)
	}
	width := displayWidth(label)
	columns = max(minWidth, columns-width)
	var lines []string
	for _, line := range wrap(text, columns) {
		lines = append(lines, breakWord(line, columns)...)
	}
	return label + strings.Join(lines, "\n"+strings.Repeat(" ", width))
}

// show prints value as one line of JSON, or calls human to print it.
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

// done prints that something was done, or with --json the object itself.
func (o output) done(value any, format string, args ...any) error {
	return o.show(value, func(w io.Writer) { fmt.Fprintf(w, format+"\n", args...) })
}

// plural formats a count with its noun.
func plural(n int64, noun string) string {
	switch {
	case n != 1 && strings.HasSuffix(noun, "s"):
		noun += "es"
	case n != 1:
		noun += "s"
	}
	return operator.Thousands(n) + " " + noun
}

// printable quotes a text that could manipulate the terminal or begin a line of its own. All text
// from outside passes through it before it is printed. The terminal's writer escapes the rest.
func printable(text string) string { return terminal.Printable(text) }

// wrap breaks a text between words into lines of at most this many columns. With 0 it does not
// break. A longer word stays whole.
func wrap(text string, columns int) []string {
	if columns <= 0 || utf8.RuneCountInString(text) <= columns {
		return []string{text}
	}
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > columns:
			lines = append(lines, line)
			line = word
		default:
			line += " " + word
		}
	}
	return append(lines, line)
}

// indent puts a text behind a label, and wraps it below its own beginning.
func indent(w io.Writer, label, text string) string {
	indent := utf8.RuneCountInString(label)
	return label + strings.Join(wrap(text, terminal.Columns(w)-indent), "\n"+strings.Repeat(" ", indent))
}

// shellWord quotes an id as it must be typed in a shell.
func shellWord(id string) string {
	special := func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_@%+=:,./-", r)
	}
	switch {
	case id != "" && !strings.ContainsFunc(id, special):
		return id
	case printable(id) == id:
		return "'" + strings.ReplaceAll(id, "'", `'\''`) + "'"
	}
	quoted := strconv.Quote(id)
	escaped := quoted[1 : len(quoted)-1]
	return "$'" + strings.ReplaceAll(escaped, "'", `\'`) + "'"
}

// localTime formats a moment in the local time zone, and names the zone. It is empty for the zero
// time.
func localTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return operator.LocalTime(at)
}

// clockTime formats a moment for a person, with the date unless it is today.
func clockTime(at time.Time) string {
	if now := time.Now().Local(); at.Local().Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Local().Format(time.TimeOnly + " MST")
	}
	return localTime(at)
}

// perSecond is the average rate of finished work.
func perSecond(n int64, took time.Duration) int64 {
	return int64(float64(n) / max(took.Seconds(), 1e-3))
}
