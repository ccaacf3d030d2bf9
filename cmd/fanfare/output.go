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

// table lines up cells below the names of their columns. A column whose name begins with ">" holds numbers, which stand
// to the right.
type table struct {
	columns []string
	rows    [][]string
}

// rule is a row that is a line: what stands below it is a sum.
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

// line is one row without trailing blanks.
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

// printable quotes what strangers wrote where it would play tricks on a terminal, or begin a line of its own. All that is printed of
// theirs passes through it; the output below makes visible what did not.
func printable(text string) string { return terminal.Printable(text) }

// wrap breaks a text between its words into lines of so many columns; 0: it stays one line. A word that is longer stays whole.
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

// indented puts a text behind a label of the first line, and what of it does not fit below its own beginning.
func indent(w io.Writer, label, text string) string {
	indent := utf8.RuneCountInString(label)
	return label + strings.Join(wrap(text, terminal.Columns(w)-indent), "\n"+strings.Repeat(" ", indent))
}

// word writes a campaign's id as it is typed in a shell.
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

// stamp is a moment in the time zone of whoever looks; "" for none.
func localTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Local().Format(time.DateTime)
}

// hour is a moment for a person: with its day only where that is not today.
func clockTime(at time.Time) string {
	if now := time.Now().Local(); at.Local().Format(time.DateOnly) == now.Format(time.DateOnly) {
		return at.Local().Format(time.TimeOnly)
	}
	return localTime(at)
}

// perSecond is the rate of a finished work.
func perSecond(n int64, took time.Duration) int64 {
	return int64(float64(n) / max(took.Seconds(), 1e-3))
}
