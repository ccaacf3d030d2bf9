package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/terminal"
)

// listed runs a command line on a terminal and returns its lines.
func listed(t *testing.T, server *miniredis.Miniredis, args ...string) []string {
	t.Helper()
	person, program := openTerminal(t)
	out := terminal.New(program)
	root := newRoot(out, out)
	root.SetArgs(append(args, "--redis.url", "redis://"+server.Addr()))
	err := root.ExecuteContext(t.Context())
	const end = "END"
	if _, printErr := fmt.Fprintln(program, end); err != nil || printErr != nil {
		t.Fatal(errors.Join(err, printErr))
	}
	var lines []string
	for shown := bufio.NewScanner(person); shown.Scan() && shown.Text() != end; {
		lines = append(lines, shown.Text())
	}
	return lines
}

// On a terminal the state of a campaign has its colour, in the list, in its view and in a watch.
// The list estimates the rate and the time to go from the record of all dispatchers.
func TestStateAndForecastOfAListedCampaign(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	server := miniredis.RunT(t)
	server.HSet("{campaign:42}:spec", "message", `{"notification":{"title":"Hello"}}`, "state", "running", "project", "demo")
	if _, err := server.Push("campaign:42", strings.Split(strings.Repeat("x", 3600), "")...); err != nil {
		t.Fatal(err)
	}
	server.HSet("{campaign:}:dispatchers", "a", `1 9000000000000 {"role":"dispatcher","host":"ops","project":"demo"}`)
	now := time.Now().Unix() / 10
	for slot := now - 7; slot <= now+1; slot++ {
		server.HSet("{campaign:42}:traffic", fmt.Sprintf("s%d", slot), "310,10")
	}
	list := strings.Join(listed(t, server, "campaign", "list"), "\n")
	if want := "\x1b[34mrunning\x1b[m"; !strings.Contains(list, want) || !strings.Contains(list, "3,600  ≈30/s  ≈2m") {
		t.Errorf("the list is %q, want %q, and 3,600 left at 30 a second", list, want)
	}
	if show := listed(t, server, "campaign", "show", "42"); !strings.HasPrefix(show[0], "\x1b[1mcampaign 42: \x1b[m\x1b[34mrunning\x1b[m") {
		t.Errorf("the view begins with %q", show[0])
	}
	server.HSet("{campaign:42}:spec", "state", "cancelled")
	if watch := strings.Join(listed(t, server, "watch", "42"), "\n"); !strings.Contains(watch, "\x1b[90mcancelled\x1b[m ") {
		t.Errorf("the watch shows %q", watch)
	}
	server.HDel("{campaign:}:dispatchers", "a")
	server.HSet("{campaign:42}:spec", "state", "running")
	if held := strings.Join(listed(t, server, "campaign", "list"), "\n"); !strings.Contains(held, "\x1b[35mrunning, held\x1b[m") || strings.Contains(held, "≈") {
		t.Errorf("the list is %q, want a held campaign without a forecast", held)
	}
}
