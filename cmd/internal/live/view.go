package live

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"fanfare/internal/fleet"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// View draws the screen.
func (m model) View() tea.View {
	v := tea.NewView(strings.Join(m.lines(), "\n"))
	v.AltScreen = true
	return v
}

// lines are those of the screen, none longer than it is wide. A low screen keeps the last ones,
// because questions stand there.
func (m model) lines() []string {
	head, foot := m.head(), m.foot()
	body := m.body(max(0, m.height-len(head)-len(foot)))
	lines := slices.Concat(head, body, foot)
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, m.width, "…")
	}
	return lines[max(0, len(lines)-m.height):]
}

// body has exactly so many lines.
func (m model) body(height int) []string {
	var lines []string
	switch m.page {
	case pageKeys:
		lines = m.keys()
	case pageDetails:
		lines = m.details()
	default:
		lines = m.tableAndReasons(height)
	}
	if len(lines) > height {
		lines = lines[:height]
		if height > 0 {
			lines[height-1] = "…"
		}
	}
	return append(lines, make([]string, height-len(lines))...)
}

// head is the first line, and why there is nothing newer, if so.
func (m model) head() []string {
	title := m.paint("fanfare watch", terminal.Bold)
	if m.snapshot != nil {
		title += "  " + count(int64(len(m.snapshot.rows)), "campaign") + m.needs() + "  " + m.snapshot.at.Format(time.TimeOnly)
	}
	if m.filter != "" && !m.filtering {
		title += "  only " + terminal.Printable(m.filter) + " (esc: all)"
	}
	lines := []string{title}
	switch {
	case m.err != nil && m.snapshot == nil:
		lines = append(lines, m.wrapPainted("No figures yet: "+errorText(m.err), terminal.Red)...)
	case m.err != nil:
		age := max(0, m.now.Sub(m.snapshot.at)).Round(time.Second)
		lines = append(lines, m.wrapPainted(fmt.Sprintf("The figures are %s old: %s", operator.Span(age), errorText(m.err)), terminal.Red)...)
	case m.snapshot == nil:
		lines = append(lines, "Reading …")
	}
	return append(lines, "")
}

// needs says how many campaigns need a person.
func (m model) needs() string {
	n := 0
	for _, r := range m.snapshot.rows {
		if r.NeedsPerson() {
			n++
		}
	}
	switch n {
	case 0:
		return ""
	case 1:
		return ", " + m.paint("1 needs a person", terminal.Yellow)
	}
	return ", " + m.paint(fmt.Sprintf("%d need a person", n), terminal.Yellow)
}

// foot is the project's line and, below it, a question, the filter, a notice or the keys.
func (m model) foot() []string {
	lines := append([]string{""}, m.project()...)
	switch {
	case m.question != nil:
		lines = append(lines, m.wrapPainted(m.question.text, terminal.Bold)...)
		for _, effect := range m.question.effects {
			lines = append(lines, m.wrapIndented(effect)...)
		}
		return append(lines, m.paint("y", terminal.Bold)+" yes; any other key: no")
	case m.filtering:
		return append(lines, "/"+terminal.Printable(m.filter)+m.paint("_", terminal.Bold)+"  "+count(int64(len(m.shown())), "campaign")+"; enter keeps, esc shows all")
	case m.notice != "":
		return append(lines, wrap(m.notice, m.width)...)
	}
	return append(lines, m.paint("p pause, + - priority, enter details, / filter, ? keys, q quit", faint))
}

// project says how fast the project sends, what stops it, what runs, and what waits for SQL.
func (m model) project() []string {
	s := m.snapshot
	if s == nil {
		return nil
	}
	pace, gate, color := "sending "+rateText(s.rate), "pace unknown", terminal.Plain
	if s.pace != nil {
		gate = "gate open"
		if hold := operator.FindHold(*s.pace); hold == nil {
			pace += " of " + rateText(s.pace.Rate)
		} else {
			gate, color = terminal.Printable(describe(hold.Explain(), m.now)), terminal.Yellow
			if !hold.EndsByItself && hold.Until.IsZero() {
				color = terminal.Red
			}
		}
	}
	results := operator.Thousands(s.backlog.Results) + " results not in SQL"
	if s.backlog.Results == 1 {
		results = "1 result not in SQL"
	}
	if why := operator.WhyResultsWait(s.backlog, s.fleet); why != nil {
		results += " (" + terminal.Printable(why.Headline) + ")"
	}
	parts := []string{pace, gate, s.countRole(fleet.Dispatcher), s.countRole(fleet.Responder), results}
	return m.wrapPainted(strings.Join(parts, ", "), color)
}

func (s *snapshot) countRole(role fleet.Role) string {
	n := int64(0)
	for _, p := range s.fleet {
		if p.Role == role {
			n++
		}
	}
	return count(n, string(role))
}

// keys explains all keys.
func (m model) keys() []string {
	var lines []string
	for _, key := range keyHelp {
		lines = append(lines, m.paint(fmt.Sprintf("%-17s", key[0]), terminal.Bold)+" "+key[1])
	}
	return lines
}
