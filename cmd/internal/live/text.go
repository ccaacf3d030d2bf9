package live

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// faint is the style of texts that matter less.
const faint terminal.Color = "2"

// paint gives a printable text a color, if the terminal may show any.
func (m model) paint(text string, color terminal.Color) string {
	if !m.colors || color == terminal.Plain || text == "" {
		return text
	}
	return "\x1b[" + string(color) + "m" + text + "\x1b[m"
}

// wrap breaks a text between words into lines of a width in columns. It cuts longer words. It does
// not break at hyphens, because commands are copied from the screen.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && ansi.StringWidth(line)+1+ansi.StringWidth(word) <= width {
			line += " " + word
			continue
		}
		if line != "" {
			lines = append(lines, line)
		}
		pieces := strings.Split(ansi.Hardwrap(word, max(1, width), false), "\n")
		lines, line = append(lines, pieces[:len(pieces)-1]...), pieces[len(pieces)-1]
	}
	return append(lines, line)
}

// wrapPainted wraps a text to the screen's width.
func (m model) wrapPainted(text string, color terminal.Color) []string {
	lines := wrap(text, m.width)
	for i, line := range lines {
		lines[i] = m.paint(line, color)
	}
	return lines
}

// wrapIndented wraps a text that stands below a heading.
func (m model) wrapIndented(text string) []string {
	lines := wrap(text, m.width-2)
	for i, line := range lines {
		lines[i] = "  " + line
	}
	return lines
}

// fit cuts a text to a width in columns, or fills it with blanks.
func fit(text string, width int, right bool) string {
	text = ansi.Truncate(text, width, "…")
	blanks := strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
	if right {
		return blanks + text
	}
	return text + blanks
}

// rateText formats recipients a second.
func rateText(rate float64) string {
	if rate >= 100 {
		return operator.Thousands(int64(rate+0.5)) + "/s"
	}
	return fmt.Sprintf("%.3g/s", rate)
}

// shortCount formats a count in at most seven columns.
func shortCount(n int64) string {
	if n < 1_000_000 {
		return operator.Thousands(n)
	}
	return fmt.Sprintf("%.2fM", float64(n)/1e6)
}

// shortSpan formats a remaining time by its two largest units at most.
func shortSpan(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 48*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd", int(d.Hours())/24)
}

// describe says in one sentence what keeps a campaign, or a part of it, from moving.
func describe(r operator.Reason, now time.Time) string {
	text := r.Title(now) + r.When(func(at time.Time) string { return at.Local().Format(time.TimeOnly) })
	if r.Detail != "" {
		text += ": " + r.Detail
	}
	if !r.Stops && r.People > 0 {
		text += " (" + count(r.People, "recipient") + ")"
	}
	return text
}
