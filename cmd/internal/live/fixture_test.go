package live

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"

	"fanfare/internal/campaign"
	"fanfare/internal/fleet"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

// system is a System of fixed campaigns. It records what is done.
type system struct {
	views []operator.View
	held  map[string]string // platforms on hold, as Show alone knows
	err   error
	did   []string
}

func (s *system) ListAgain(context.Context, *operator.ListMemory) ([]operator.View, error) {
	return append([]operator.View(nil), s.views...), s.err
}

func (s *system) Show(_ context.Context, id string) (operator.View, error) {
	for _, v := range s.views {
		if v.Spec.ID == id {
			v.Breaker.Paused = s.held
			return v, s.err
		}
	}
	return operator.View{}, campaign.ErrNotFound
}

func (s *system) Processes(context.Context) ([]fleet.Process, error) {
	return []fleet.Process{{Role: fleet.Dispatcher, Project: "demo"}, {Role: fleet.Responder}}, s.err
}

func (s *system) Backlog(context.Context) (operator.Backlog, error) {
	return operator.Backlog{Results: 7}, s.err
}

// Forecast is 10 recipients a second for each campaign.
func (s *system) Forecast(_ context.Context, views ...*operator.View) {
	for _, v := range views {
		v.Forecast = &operator.Forecast{Rate: 10}
	}
}

func (s *system) Start(_ context.Context, id string, _ operator.StartOptions) error {
	s.did = append(s.did, "start "+id)
	return s.err
}

func (s *system) Pause(_ context.Context, id, _ string) error {
	s.did = append(s.did, "pause "+id)
	return s.err
}

func (s *system) Change(_ context.Context, id string, change campaign.Change) error {
	s.did = append(s.did, "priority "+id+" "+string(rune('0'+*change.Priority)))
	return s.err
}

func view(id string, state campaign.State, priority int) operator.View {
	return operator.View{
		Spec:  campaign.Spec{ID: id, State: state, Priority: priority, FinishedAt: time.Now()},
		Books: campaign.Books{Loaded: 2000, Sent: 900, Failed: 100, Waiting: 950, InFlight: 50},
	}
}

// colorOf gives running campaigns a color of their own.
func colorOf(v operator.View) terminal.Color {
	if v.Spec.State == campaign.Running {
		return terminal.Blue
	}
	return terminal.Yellow
}

// person is someone at the view, whose every reading and action ends at once.
type person struct {
	*testing.T
	model

	system *system
}

// sit opens the view of some campaigns.
func sit(t *testing.T, views ...operator.View) *person {
	t.Helper()
	s := &system{views: views}
	c := &client{ctx: t.Context(), system: s, now: time.Now, explain: func(id string, err error) error { return errors.Join(errors.New("explained "+id), err) }}
	p := &person{T: t, model: newModel(c, Options{Every: time.Hour, StateColor: colorOf}), system: s}
	p.send(c.read("")())
	return p
}

// send gives the model a message, and what comes of it.
func (p *person) send(msg tea.Msg) {
	p.Helper()
	next, command := p.Update(msg)
	p.model = next.(model) //nolint:forcetypeassert // it is its own type
	if command == nil || p.acting == p.reading {
		return // a tick would wait
	}
	p.send(command())
}

// press types keys, by their names.
func (p *person) press(names ...string) {
	p.Helper()
	special := map[string]rune{"up": tea.KeyUp, "down": tea.KeyDown, "enter": tea.KeyEnter, "esc": tea.KeyEscape, "backspace": tea.KeyBackspace, "end": tea.KeyEnd}
	for _, name := range names {
		if code, ok := special[name]; ok {
			p.send(tea.KeyPressMsg{Code: code})
			continue
		}
		p.send(tea.KeyPressMsg{Text: name, Code: []rune(name)[0]})
	}
}

// screen returns what is seen, and fails if it does not fit.
func (p *person) screen() string {
	p.Helper()
	lines := strings.Split(p.View().Content, "\n")
	if len(lines) != p.height {
		p.Errorf("%d lines on a screen of %d", len(lines), p.height)
	}
	for _, line := range lines {
		if ansi.StringWidth(line) > p.width {
			p.Errorf("a line is wider than %d columns: %q", p.width, line)
		}
	}
	return strings.Join(lines, "\n")
}

func (p *person) sees(texts ...string) {
	p.Helper()
	screen := p.screen()
	for _, text := range texts {
		if !strings.Contains(screen, text) {
			p.Errorf("the screen lacks %q:\n%s", text, screen)
		}
	}
}

func (p *person) seesNot(text string) {
	p.Helper()
	if screen := p.screen(); strings.Contains(screen, text) {
		p.Errorf("the screen shows %q:\n%s", text, screen)
	}
}
