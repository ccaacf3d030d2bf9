package live

import (
	tea "charm.land/bubbletea/v2"

	"fanfare/internal/campaign"
	"fanfare/internal/terminal"
)

// keyHelp explains each key.
var keyHelp = [][2]string{
	{"up, down, k, j", "select a campaign"},
	{"home, end, g, G", "select the first or the last one"},
	{"enter", "show its details; again or esc: back"},
	{"p", "pause or resume it; asks first"},
	{"+, -", "raise or lower its priority; asks first"},
	{"/", "show only what contains a text; esc shows all"},
	{"?", "show or hide these keys"},
	{"q, ctrl+c", "quit; nothing stops sending"},
}

// press handles a key.
func (m model) press(key tea.KeyPressMsg) (tea.Model, tea.Cmd) {
	name := key.String()
	switch {
	case name == "ctrl+c":
		return m, tea.Quit
	case name == "ctrl+z":
		return m, tea.Suspend
	case m.question != nil:
		return m.answer(name)
	case m.filtering:
		return m.typeFilter(key), nil
	}
	m.notice = ""
	switch name {
	case "q":
		return m, tea.Quit
	case "?":
		m.page = toggle(m.page, pageKeys)
	case "enter":
		if m.current() != nil {
			m.page = toggle(m.page, pageDetails)
		}
	case "esc":
		return m.goBack(), nil
	case "/":
		m.page, m.filtering = pageTable, true
	case "p", "+", "-":
		return m.ask(name), nil
	default:
		m = m.move(name)
	}
	return m, nil
}

// toggle shows a page, or the table if the page is shown.
func toggle(now, other page) page {
	if now == other {
		return pageTable
	}
	return other
}

// goBack leaves a page, or ends the filter.
func (m model) goBack() model {
	if m.page != pageTable {
		m.page = pageTable
		return m
	}
	m.filter = ""
	return m.follow()
}

func (m model) move(name string) model {
	switch name {
	case "up", "k":
		return m.choose(m.position - 1)
	case "down", "j":
		return m.choose(m.position + 1)
	case "home", "g":
		return m.choose(0)
	case "end", "G":
		return m.choose(len(m.shown()))
	}
	return m
}

// typeFilter changes the filter by a key.
func (m model) typeFilter(key tea.KeyPressMsg) model {
	switch key.String() {
	case "enter":
		m.filtering = false
		return m
	case "esc":
		m.filtering, m.filter = false, ""
		return m.follow()
	case "backspace":
		if runes := []rune(m.filter); len(runes) > 0 {
			m.filter = string(runes[:len(runes)-1])
		}
	case "up", "down":
		return m.move(key.String())
	default:
		m.filter += key.Text
	}
	return m.choose(0)
}

// ask asks before an action on the selected campaign.
func (m model) ask(name string) model {
	r := m.current()
	switch {
	case r == nil || m.page == pageKeys:
		return m
	case m.acting:
		m.notice = "The last action is still under way."
		return m
	case name == "p":
		m.question, m.notice = askMove(*r)
	case name == "+":
		m.question, m.notice = askPriority(*r, min(campaign.MaxPriority, r.Spec.Priority+1), m.snapshot.rows)
	default:
		m.question, m.notice = askPriority(*r, max(0, r.Spec.Priority-1), m.snapshot.rows)
	}
	return m
}

// answer acts on y alone. Every other key changes nothing.
func (m model) answer(name string) (tea.Model, tea.Cmd) {
	asked := m.question
	m.question = nil
	if name != "y" && name != "Y" {
		m.notice = "Not confirmed: nothing was changed."
		return m, nil
	}
	m.acting, m.notice = true, "Changing campaign "+terminal.Printable(asked.id)+" …"
	return m, m.client.act(*asked)
}
