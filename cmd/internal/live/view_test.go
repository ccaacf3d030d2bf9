package live

import (
	"strings"
	"testing"
	"time"
	"unicode"

	tea "charm.land/bubbletea/v2"

	"fanfare/internal/campaign"
	"fanfare/internal/operator"
	"fanfare/internal/pacing"
	"fanfare/internal/terminal"
)

const hostileText = "ev\x1b[31mil\r\n\u202e\u0085\x7f日本語🎈"

func hostileView() operator.View {
	v := view(hostileText, campaign.Paused, 1)
	v.Spec.Name, v.Spec.Reason, v.Spec.Project = "name "+hostileText, "reason "+hostileText, hostileText
	v.Books.Codes = map[string]int64{hostileText: 3}
	return v
}

// No name, and no page, question or filter with it, moves the cursor or leaves the screen's size.
func TestEveryScreenFits(t *testing.T) {
	t.Parallel()
	for _, size := range []tea.WindowSizeMsg{{Width: 200, Height: 50}, {Width: 80, Height: 24}, {Width: 40, Height: 12}, {Width: 10, Height: 5}, {Width: 1, Height: 1}} {
		for _, keys := range [][]string{{}, {"enter"}, {"?"}, {"p"}, {"+"}, {"/", hostileText}, {"p", "y"}} {
			p := sit(t, hostileView(), view("plain", campaign.Running, 9))
			p.send(size)
			p.press(keys...)
			screen := p.screen()
			if at := strings.IndexFunc(screen, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); at >= 0 {
				t.Errorf("%v after %q shows %q", size, keys, screen[at:min(len(screen), at+20)])
			}
		}
	}
}

// Columns that matter less give way to the campaign's name.
func TestNarrowTable(t *testing.T) {
	t.Parallel()
	v := view("4711", campaign.Running, 0)
	v.Spec.Name = "Spring sale 2026"
	v.Books.Loaded, v.Books.Sent, v.Books.Waiting = 12_000_000, 9_000_000, 2_999_850
	for width, want := range map[int]string{
		120: "> running  4711 Spring sale 2026  ███████░░░  75%  9.00M of 12.00M             <0.01%",
		80:  "> running  4711 Spring sale 2026  ███░░  75%  9.00M of 12.00M             <0.01%",
		60:  "> running  4711 Spring sale 2026  ███░░  75%       <0.01%",
		36:  "> running  4711 Spring …  ███░░  75%",
		20:  "> running  4711 Spr…",
	} {
		p := sit(t, v)
		p.send(tea.WindowSizeMsg{Width: width, Height: 24})
		got := strings.Split(p.screen(), "\n")[3]
		if got != want {
			t.Errorf("%d columns: got\n%s\nwant\n%s", width, got, want)
		}
	}
}

// The question stays on a screen too low for the rest, and the selected row on a long table.
func TestLowScreen(t *testing.T) {
	t.Parallel()
	var views []operator.View
	for _, id := range strings.Split("abcdefghijklmnopqrstuvwxyz", "") {
		views = append(views, view(id, campaign.Running, 0))
	}
	p := sit(t, views...)
	p.send(tea.WindowSizeMsg{Width: 80, Height: 12})
	p.press("end")
	p.sees("> running  z")
	p.send(tea.WindowSizeMsg{Width: 80, Height: 3})
	p.press("p")
	p.sees("y yes; any other key: no")
}

// Colors mark the states, and nothing but their sequences is added.
func TestColors(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0), view("b", campaign.Paused, 0))
	plain := p.screen()
	p.colors = true
	p.sees("\x1b[34mrunning\x1b[m", "\x1b[33mpaused")
	bare := p.View().Content
	for _, style := range []terminal.Color{terminal.Bold, faint, terminal.Blue, terminal.Yellow, terminal.Plain} {
		bare = strings.ReplaceAll(bare, "\x1b["+string(style)+"m", "")
	}
	if bare != plain {
		t.Errorf("without its colors the screen is\n%s\nwant\n%s", bare, plain)
	}
}

func TestProjectLine(t *testing.T) {
	t.Parallel()
	p := sit(t, view("a", campaign.Running, 0))
	p.sees("pace unknown")
	s := *p.snapshot
	s.pace = &pacing.State{Rate: 165}
	p.snapshot = &s
	p.sees("sending 0/s of 165/s, gate open, 1 dispatcher")
	s.pace.Halts = []pacing.Halt{{Reason: "wrong \x1blink", By: "ops"}}
	p.sees("The project is halted", `wrong \x1blink`)
	p.colors = true
	p.sees("\x1b[31msending")
	s.pace.Halts, s.pace.Gate = nil, pacing.Gate{Until: time.Now().Add(time.Minute)}
	p.sees("\x1b[33msending", "The gate is closed until")
}

// A campaign with nothing but later retries runs; one without a dispatcher is held.
func TestStateInOneWord(t *testing.T) {
	t.Parallel()
	retries := view("a", campaign.Running, 0)
	retries.Books.Waiting, retries.Books.InFlight, retries.Books.Retrying = 0, 0, 1000
	elsewhere := view("b", campaign.Running, 0)
	elsewhere.Spec.Project = "other"
	p := sit(t, retries, elsewhere, operator.View{Spec: campaign.Spec{ID: "c"}})
	p.sees("running  a", "held     b", "waiting  c")
}

// A campaign that waits for another one says how long that needs, by its rate.
func TestReadingTellsHowLongOthersGoFirst(t *testing.T) {
	first, waits := view("first", campaign.Running, 5), view("waits", campaign.Running, 0)
	waits.Books.InFlight = 0
	c := &client{ctx: t.Context(), system: &system{views: []operator.View{first, waits}}, now: time.Now}
	s, err := c.readSnapshot(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range s.rows {
		if r.Spec.ID == "waits" && (len(r.Reasons) == 0 || !strings.Contains(r.Reasons[0].Detail, ", about 1m40s")) {
			t.Errorf("the reasons are %+v, want how long the other needs", r.Reasons)
		}
	}
}
