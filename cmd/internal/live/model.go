package live

import (
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"fanfare/internal/terminal"
)

// page is what the screen shows.
type page int

const (
	pageTable page = iota
	pageDetails
	pageKeys
)

// model is the view's state. Update and View neither read nor write anything else.
type model struct {
	client        *client
	colors        bool
	stateColor    func(row) terminal.Color
	every         time.Duration // between two snapshots
	width, height int
	now           time.Time

	snapshot *snapshot // the last good one; nil before the first
	err      error     // why nothing newer is known
	reading  bool      // a snapshot is being read
	again    bool      // read another one at once, because something was changed meanwhile

	page      page
	selected  string // id
	position  int    // of the selected campaign among those shown
	filter    string
	filtering bool      // the filter is being typed
	question  *question // asked, and not answered yet
	acting    bool      // an action is under way
	notice    string    // what the last key has done
}

func newModel(c *client, o Options) model {
	stateColor := func(r row) terminal.Color { return o.StateColor(r.View) }
	return model{client: c, colors: o.Colors, stateColor: stateColor, every: o.Every, width: 80, height: 24, now: time.Now(), reading: true}
}

// Init reads the first snapshot, and starts the clock.
func (m model) Init() tea.Cmd { return tea.Batch(m.client.read(""), m.tick()) }

type tickMsg time.Time

func (m model) tick() tea.Cmd {
	return tea.Tick(m.every, func(at time.Time) tea.Msg { return tickMsg(at) })
}

// Update returns the model after a message, and the command that follows.
func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tickMsg:
		m.now = time.Time(msg)
		next, read := m.refresh()
		return next, tea.Batch(read, m.tick())
	case snapshotMsg:
		return m.take(msg)
	case actedMsg:
		m.acting, m.notice = false, msg.notice
		m.again = m.reading
		return m.refresh()
	case tea.PasteMsg:
		if m.filtering {
			m.filter += msg.Content
			m = m.choose(0)
		}
	case tea.KeyPressMsg:
		return m.press(msg)
	}
	return m, nil
}

// refresh reads a snapshot unless one is being read.
func (m model) refresh() (model, tea.Cmd) {
	if m.reading {
		return m, nil
	}
	m.reading = true
	return m, m.client.read(m.selected)
}

// take shows a snapshot. After an error the last good one stays.
func (m model) take(msg snapshotMsg) (model, tea.Cmd) {
	m.reading, m.err = false, msg.err
	if msg.err == nil {
		m.snapshot = msg.snapshot
		m = m.follow()
	}
	if m.again {
		m.again = false
		return m.refresh()
	}
	return m, nil
}

// shown are the campaigns that match the filter.
func (m model) shown() []row {
	if m.snapshot == nil {
		return nil
	}
	text := strings.ToLower(m.filter)
	var rows []row
	for _, r := range m.snapshot.rows {
		if strings.Contains(strings.ToLower(r.Spec.ID+"\n"+r.Spec.Name+"\n"+r.word()), text) {
			rows = append(rows, r)
		}
	}
	return rows
}

// follow keeps the selection on its campaign, wherever that is in the table now. If it is gone, the
// one at its place is selected.
func (m model) follow() model {
	rows := m.shown()
	at := slices.IndexFunc(rows, func(r row) bool { return r.Spec.ID == m.selected })
	if at < 0 || m.selected == "" {
		if m.page == pageDetails {
			m.page, m.notice = pageTable, "The campaign was deleted."
		}
		return m.choose(m.position)
	}
	m.position = at
	return m
}

// choose selects the campaign at a position, or the nearest one.
func (m model) choose(position int) model {
	rows := m.shown()
	m.position = max(0, min(position, len(rows)-1))
	m.selected = ""
	if len(rows) > 0 {
		m.selected = rows[m.position].Spec.ID
	}
	return m
}

// current is the selected campaign; nil without any.
func (m model) current() *row {
	rows := m.shown()
	if m.selected == "" || m.position >= len(rows) {
		return nil
	}
	return &rows[m.position]
}
