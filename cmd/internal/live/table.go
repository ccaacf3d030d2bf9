package live

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// column is one of the table. On a narrow screen those of the highest rank are left out first.
type column struct {
	title string
	right bool
	rank  int
	cell  func(row) string
}

// columns are in their order. The second one, the campaign, gets the width that the others leave.
func columnsFor(width int) []column {
	bar := 5
	if width >= 100 {
		bar = 10
	}
	return []column{
		{"STATE", false, 0, row.word},
		{"CAMPAIGN", false, 0, row.title},
		{"PROGRESS", false, 1, func(r row) string { return r.bar(bar) }},
		{"ENDED", true, 4, func(r row) string { return shortCount(r.Books.CountEnded()) + " of " + shortCount(r.Books.Loaded) }},
		{"RATE", true, 5, func(r row) string { return r.rateText() }},
		{"ETA", true, 3, func(r row) string { return shortSpan(r.left) }},
		{"FAILED", true, 2, func(r row) string { return operator.Share(r.Books.Failed, r.Books.CountEnded()) }},
	}
}

// bar is the share of the recipients that have ended. It is full only if all have.
func (r row) bar(width int) string {
	done := 0.0
	if r.Books.Loaded > 0 {
		done = float64(r.Books.CountEnded()) / float64(r.Books.Loaded)
	}
	filled := min(width, int(done*float64(width)))
	return fmt.Sprintf("%s%s %3d%%", strings.Repeat("█", filled), strings.Repeat("░", width-filled), int(done*100))
}

// rateText is empty for a campaign that does not run.
func (r row) rateText() string {
	if r.rate < 0.01 {
		return ""
	}
	return rateText(r.rate)
}

const (
	leastTitle = 12 // columns of the campaign's title that other columns give way to
	gap        = 2
)

// table is the heading and so many rows, the selected one among them.
func (m model) table(height int) []string {
	rows := m.shown()
	columns, widths := layOut(columnsFor(m.width), rows, m.width-gap)
	var heading strings.Builder
	for i, c := range columns {
		heading.WriteString(strings.Repeat(" ", gap) + fit(c.title, widths[i], c.right))
	}
	lines := []string{m.paint(strings.TrimRight(heading.String(), " "), terminal.Bold)}
	height = max(1, height-1)
	first := max(0, min(m.position-height/2, len(rows)-height))
	for i := first; i < min(len(rows), first+height); i++ {
		lines = append(lines, m.row(rows[i], i == m.position, columns, widths))
	}
	return lines
}

// row is one line of the table.
func (m model) row(r row, isSelected bool, columns []column, widths []int) string {
	var line strings.Builder
	line.WriteString(marker(isSelected))
	for i, c := range columns {
		color := terminal.Plain
		switch {
		case i == 0:
			color = m.stateColor(r)
		case isSelected:
			color = terminal.Bold
		}
		if i > 0 {
			line.WriteString(strings.Repeat(" ", gap))
		}
		line.WriteString(m.paint(fit(c.cell(r), widths[i], c.right), color))
	}
	return strings.TrimRight(line.String(), " ")
}

// marker shows which row is selected, also without colors.
func marker(isSelected bool) string {
	if isSelected {
		return "> "
	}
	return "  "
}

// layOut returns the columns that fit, and their widths.
func layOut(columns []column, rows []row, width int) (kept []column, widths []int) {
	for {
		widths = make([]int, len(columns))
		total, last := gap*(len(columns)-1), 0
		for i, c := range columns {
			widths[i] = ansi.StringWidth(c.title)
			for _, r := range rows {
				widths[i] = max(widths[i], ansi.StringWidth(c.cell(r)))
			}
			total += widths[i]
			if c.rank > columns[last].rank {
				last = i
			}
		}
		title := widths[1] - (total - width)
		if title >= min(widths[1], leastTitle) || columns[last].rank == 0 {
			widths[1] = max(1, min(widths[1], title))
			return columns, widths
		}
		columns = append(columns[:last:last], columns[last+1:]...)
	}
}

// tableAndReasons is the table, and below it why the selected campaign does not move.
func (m model) tableAndReasons(height int) []string {
	if m.snapshot == nil {
		return nil
	}
	if len(m.shown()) == 0 {
		if m.filter != "" {
			return []string{"No campaign contains " + terminal.Printable(m.filter) + "; esc shows all."}
		}
		return wrap("No campaigns. Create one with: fanfare campaign create 42 --message message.json", m.width)
	}
	const leastRows = 4
	reasons := m.reasons()
	lines := m.table(max(leastRows, height-len(reasons)-1))
	return append(append(lines, ""), reasons...)
}
