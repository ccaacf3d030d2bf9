package main

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"fanfare/internal/terminal"
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
