package main

import (
	"fmt"
	"io"
	"strings"

	"fanfare/internal/terminal"
)

// minWidth is the least width to which a text is shortened before columns are left out.
const minWidth = 8

// column describes one column of a table.
type column struct {
	name   string
	number bool // aligned to the right, and never shortened
	wide   bool // only with -o wide
	cut    func(text string, width int) string
	paint  func(text string) terminal.Color // nil: no colour
}

// textColumn is a column whose long cells keep their start.
func textColumn(name string) column { return column{name: name, cut: keepStart} }

// idColumn is a column whose long cells keep both ends, where ids differ.
func idColumn(name string) column { return column{name: name, cut: keepEnds} }

// hostColumn is a column whose long cells keep their end, where the names of pods differ.
func hostColumn(name string) column { return column{name: name, cut: keepEnd} }

// momentColumn is a column of moments, which are never shortened.
func momentColumn(name string) column { return column{name: name} }

// numberColumn is a column of numbers.
func numberColumn(name string) column { return column{name: name, number: true} }

// onlyWide returns the column as one that only -o wide shows.
func (c column) onlyWide() column {
	c.wide = true
	return c
}

// table aligns cells below the names of their columns. It fits textColumns, or the terminal if that
// is wider: some columns are left out, and long cells are shortened. With -o wide it shows all.
type table struct {
	output

	columns []column
	rows    [][]string
}

// rule is a row that is a line. Below it stands a sum.
var rule []string

// newTable returns an empty table. The most important columns come first.
func (o output) newTable(columns ...column) *table { return &table{output: o, columns: columns} }

func (t *table) add(cells ...string) {
	for i, cell := range cells {
		cells[i] = printable(cell)
	}
	t.rows = append(t.rows, cells)
}

// print prints the names of the columns, and the rows.
func (t *table) print() {
	if !t.wide {
		t.leaveOut(func(_ int, c column) bool { return c.wide })
	}
	widths := t.fit()
	header := make([]string, len(t.columns))
	total := 2 * (len(widths) - 1)
	for i, c := range t.columns {
		header[i] = c.name
		total += widths[i]
	}
	terminal.Heading(t.w, t.line(header, widths))
	for _, row := range t.rows {
		switch {
		case row == nil:
			fmt.Fprintln(t.w, strings.Repeat("─", total))
		case terminal.HasColors(t.w):
			t.write(t.w, row, widths)
			fmt.Fprintln(t.w)
		default:
			fmt.Fprintln(t.w, t.line(row, widths))
		}
	}
}

// line formats one row without colours.
func (t *table) line(cells []string, widths []int) string {
	var b strings.Builder
	t.write(&b, cells, widths)
	return b.String()
}

// write writes one row without trailing blanks.
func (t *table) write(w io.Writer, cells []string, widths []int) {
	gap := ""
	for i, cell := range cells {
		c := t.columns[i]
		if c.cut != nil && displayWidth(cell) > widths[i] {
			cell = c.cut(cell, widths[i])
		}
		blanks := strings.Repeat(" ", max(0, widths[i]-displayWidth(cell)))
		if c.number {
			gap, blanks = gap+blanks, ""
		}
		if cell != "" {
			fmt.Fprint(w, gap)
			gap = ""
			if c.paint != nil {
				terminal.Paint(w, c.paint(cells[i]), cell)
			} else {
				fmt.Fprint(w, cell)
			}
		}
		gap += blanks + "  "
	}
}

// leaveOut removes columns.
func (t *table) leaveOut(isOut func(i int, c column) bool) {
	var columns []column
	rows := make([][]string, len(t.rows))
	for i, c := range t.columns {
		if isOut(i, c) {
			continue
		}
		columns = append(columns, c)
		for r, row := range t.rows {
			if i < len(row) {
				rows[r] = append(rows[r], row[i])
			}
		}
	}
	t.columns, t.rows = columns, rows
}

// fit returns the widths of the columns. It narrows the widest texts until the table fits. If that
// is not enough, it leaves out the last columns.
func (t *table) fit() []int {
	widths := t.measure()
	if t.wide {
		return widths
	}
	most := max(textColumns, terminal.Columns(t.w))
	for {
		excess := 2*(len(widths)-1) - most
		widest := -1
		for i, width := range widths {
			excess += width
			if t.columns[i].cut != nil && width > minWidth && (widest < 0 || width > widths[widest]) {
				widest = i
			}
		}
		switch {
		case excess <= 0:
			return widths
		case widest >= 0:
			widths[widest]--
		case len(widths) == 1:
			return widths
		default:
			last := len(widths) - 1
			t.leaveOut(func(i int, _ column) bool { return i == last })
			widths = t.measure()
		}
	}
}

// measure returns the widths that the columns need.
func (t *table) measure() []int {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = displayWidth(c.name)
		for _, row := range t.rows {
			if len(row) > i {
				widths[i] = max(widths[i], displayWidth(row[i]))
			}
		}
	}
	return widths
}
