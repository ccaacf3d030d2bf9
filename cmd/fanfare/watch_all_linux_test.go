package main

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/alicebob/miniredis/v2"

	"fanfare/internal/daemon"
)

// screen collects what a program draws on a terminal.
type screen struct {
	*testing.T

	drawn chan string
	seen  string
}

func readScreen(t *testing.T, person io.Reader) *screen {
	t.Helper()
	s := &screen{t, make(chan string), ""}
	go func() {
		defer close(s.drawn)
		part := make([]byte, 4096)
		for {
			n, err := person.Read(part)
			if n > 0 {
				select {
				case s.drawn <- string(part[:n]):
				case <-t.Context().Done():
					return
				}
			}
			if err != nil {
				return // the program has closed its end
			}
		}
	}()
	return s
}

// await returns what was drawn since the last call, once a text is in it.
func (s *screen) await(text string) (drawn string) {
	s.Helper()
	late := time.After(30 * time.Second)
	for !strings.Contains(s.seen, text) {
		select {
		case part, open := <-s.drawn:
			if s.seen += part; !open {
				s.Fatalf("the program ended before it drew %q: %q", text, s.seen)
			}
		case <-late:
			s.Fatalf("%q was not drawn: %q", text, s.seen)
		}
	}
	drawn, s.seen = s.seen, ""
	return drawn
}

// drain reads all until the program ends.
func (s *screen) drain() {
	for range s.drawn {
	}
}

// startOnTerminal starts "fanfare watch" on a terminal with some more environment.
func startOnTerminal(t *testing.T, server *miniredis.Miniredis, env ...string) (person *os.File, program *exec.Cmd) {
	t.Helper()
	person, terminal := openTerminal(t)
	program = exec.CommandContext(t.Context(), programs.Path("fanfare"),
		"watch", "--redis.url", "redis://"+server.Addr(), "--fcm.project_id", "demo", "--every", "20ms")
	program.Env = append([]string{"HOME=" + t.TempDir()}, env...)
	program.Stdin, program.Stdout, program.Stderr = terminal, terminal, terminal
	program.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	if err := terminal.Close(); err != nil {
		t.Fatal(err)
	}
	return person, program
}

// The real program shows all campaigns on a terminal. It pauses one after a yes, and quits.
func TestWatchOfAllCampaigns(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	server.HSet("{campaign:42}:spec", "message", `{"notification":{"title":"Hello"}}`, "state", "running")
	if _, err := server.Push("campaign:42", `{"userId":"u1"}`, `{"userId":"u2"}`); err != nil {
		t.Fatal(err)
	}
	person, program := startOnTerminal(t, server, "TERM=xterm")
	state := func() string { return server.HGet("{campaign:42}:spec", "state") }
	seen := readScreen(t, person)
	for _, step := range []struct{ drawn, key, state string }{
		{"42", "p", "running"}, {"Pause", "n", "running"}, {"confirmed", "p", "running"}, {"Pause", "y", "running"}, {"paused", "?", "paused"},
	} {
		seen.await(step.drawn)
		if got := state(); got != step.state {
			t.Errorf("with %q on the screen the campaign is %q, want %q", step.drawn, got, step.state)
		}
		if _, err := io.WriteString(person, step.key); err != nil {
			t.Fatal(err)
		}
	}
	seen.await("quit")
	resize(t, person, 24, 30)
	seen.await("…") // lines are cut now
	if _, err := io.WriteString(person, "q"); err != nil {
		t.Fatal(err)
	}
	seen.drain()
	if err := program.Wait(); err != nil {
		t.Error(err)
	}
	if entry := strings.Join(server.Keys(), " "); !strings.Contains(entry, "{campaign:42}:history") {
		t.Errorf("the pause is in no history: %s", entry)
	}
}

// resize changes the size of a terminal, as a person does with a window.
func resize(t *testing.T, person *os.File, rows, columns uint16) {
	t.Helper()
	size := [4]uint16{rows, columns}
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), syscall.TIOCSWINSZ, uintptr(unsafe.Pointer(&size))); errno != 0 {
		t.Fatal(errno)
	}
}

// NO_COLOR leaves out all colors. A terminal that cannot move its cursor is refused.
func TestWatchHonoursTheTerminal(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	for env, colored := range map[string]bool{"NO_COLOR=1": false, "NO_COLOR=": true} {
		person, program := startOnTerminal(t, server, "TERM=xterm", env)
		seen := readScreen(t, person)
		if drawn := seen.await("dispatchers"); colors.MatchString(drawn) != colored {
			t.Errorf("%s draws %q", env, drawn)
		}
		if err := program.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		seen.drain()
		if err := program.Wait(); err != nil {
			t.Errorf("after a signal: %v", err)
		}
	}
	person, program := startOnTerminal(t, server, "TERM=dumb")
	seen := readScreen(t, person)
	seen.await("TERM is dumb")
	seen.drain()
	if _ = program.Wait(); program.ProcessState.ExitCode() != daemon.ExitUsage {
		t.Errorf("exit code %d, want %d", program.ProcessState.ExitCode(), daemon.ExitUsage)
	}
}

// colors matches colored and bold text.
var colors = regexp.MustCompile("\x1b\\[(1|2|[39][0-9])m")
