package main

import (
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

// output prints the result of a command, for a person or as JSON with --json.
type output struct {
	w      io.Writer
	asJSON bool
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
	if n != 1 {
		noun += "s"
	}
	return operator.Thousands(n) + " " + noun
}

// table aligns cells below the names of their columns. A column whose name begins with ">" holds
// numbers and is aligned to the right.
type table struct {
	columns []string
	rows    [][]string
}

// rule is a row that is a line. Below it stands a sum.
var rule []string

func newTable(columns ...string) *table { return &table{columns: columns} }

func (t *table) add(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	t.rows = append(t.rows, cells)
}

func (t *table) print(w io.Writer) {
	header := make([]string, len(t.columns))
	widths := make([]int, len(t.columns))
	for i, name := range t.columns {
		header[i] = strings.TrimPrefix(name, ">")
		widths[i] = utf8.RuneCountInString(header[i])
		for _, row := range t.rows {
			if len(row) > i {
				widths[i] = max(widths[i], utf8.RuneCountInString(row[i]))
			}
		}
	}
	total := 2 * (len(widths) - 1)
	for _, width := range widths {
		total += width
	}
	if line := t.line(header, widths); line != "" {
		terminal.Heading(w, line)
	}
	for _, row := range t.rows {
		if row == nil {
			fmt.Fprintln(w, strings.Repeat("─", total))
			continue
		}
		fmt.Fprintln(w, t.line(row, widths))
	}
}

// line formats one row without trailing blanks.
func (t *table) line(cells []string, widths []int) string {
	var b strings.Builder
	for i, cell := range cells {
		blanks := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
		if strings.HasPrefix(t.columns[i], ">") {
			cell = blanks + cell
		} else {
			cell += blanks
		}
		if i > 0 {
			b.WriteString("  ")
		}
		b.WriteString(cell)
	}
	return strings.TrimRight(b.String(), " ")
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

// localTime formats a moment in the local time zone. It is empty for the zero time.
func localTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateTime)
}

// clockTime formats a moment for a person, with the date unless it is today.
func clockTime(at time.Time) string {
	if now := time.Now().Local(); at.Local().Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Local().Format(time.TimeOnly)
	}
	return localTime(at)
}

// perSecond is the average rate of finished work.
func perSecond(n int64, took time.Duration) int64 {
	return int64(float64(n) / max(took.Seconds(), 1e-3))
}
