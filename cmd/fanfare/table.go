package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fanfare/internal/daemon"
)

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
		fmt.Fprintln(w, bold(w, line))
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

// printable quotes text that would play tricks on a terminal: much of what is shown was written by strangers.
func printable(text string) string {
	harmless := func(r rune) bool { return unicode.IsPrint(r) || r == ' ' }
	if utf8.ValidString(text) && strings.IndexFunc(text, func(r rune) bool { return !harmless(r) }) < 0 {
		return text
	}
	return strconv.Quote(text)
}

// bold is for terminals, unless NO_COLOR is set.
func bold(w io.Writer, text string) string {
	if !daemon.IsTerminal(w) || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return "\x1b[1m" + text + "\x1b[m"
}
