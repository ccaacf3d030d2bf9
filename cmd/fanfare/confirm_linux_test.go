package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"

	"fanfare/internal/terminal"
)

// openTerminal returns a terminal and the program's end of it.
func openTerminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	ask := func(request uintptr, n *int32) {
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, person.Fd(), request, uintptr(unsafe.Pointer(n))); errno != 0 {
			t.Fatal(errno)
		}
	}
	var unlocked, number int32
	ask(syscall.TIOCSPTLCK, &unlocked)
	ask(syscall.TIOCGPTN, &number)
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = person.Close(), program.Close() })
	return person, program
}

// typed runs a command line on a terminal, where a person types an answer. It returns what the
// person saw and the error.
func typed(t *testing.T, server *miniredis.Miniredis, answer string, args ...string) (seen string, err error) {
	t.Helper()
	person, program := openTerminal(t)
	var out bytes.Buffer
	root := newRoot(&out, terminal.New(program))
	root.SetIn(program)
	root.SetArgs(append(args, "--redis.url", "redis://"+server.Addr()))
	if answer != "" {
		if _, err := fmt.Fprintln(person, answer); err != nil {
			t.Fatal(err)
		}
	}
	err = root.ExecuteContext(t.Context())
	const end = "END"
	if _, err := fmt.Fprintln(program, end); err != nil {
		t.Fatal(err)
	}
	shown := bufio.NewScanner(person)
	for shown.Scan() && !strings.HasSuffix(shown.Text(), end) {
		seen += shown.Text() + "\n"
	}
	return out.String() + seen + shown.Text(), err
}

// A person is asked before what cannot be undone, with the effect in numbers.
func TestDangerousCommandsAskAPerson(t *testing.T) {
	t.Parallel()
	server := miniredis.RunT(t)
	rdb := redis.NewClient(&redis.Options{Addr: server.Addr()})
	t.Cleanup(func() { _ = rdb.Close() })
	server.HSet("{campaign:42}:spec", "message", `{"notification":{"title":"Hello"}}`, "state", "paused")
	if _, err := server.Push("campaign:42", `{"userId":"u1"}`, `{"userId":"u2"}`); err != nil {
		t.Fatal(err)
	}
	if _, err := server.Push("{notification:responses}:dead", `{}`); err != nil {
		t.Fatal(err)
	}
	state := func() string { return rdb.HGet(t.Context(), "{campaign:42}:spec", "state").Val() }
	for _, step := range []struct {
		answer, args, asked, after string
	}{
		{"n", "campaign cancel 42", "2 recipients will not be sent to", "paused"},
		{"", "campaign pause 42", "", "paused"},
		{"nonsense", "campaign rm 42", "2 recipients will never be sent to", "paused"},
		{"YES", "campaign cancel 42", "Cancel campaign 42 for good? [y/N]", "cancelled"},
		{"no", "dead purge --all", "Delete 1 dead letter for good? [y/N]", "cancelled"},
		{"", "dead purge --all --yes", "", "cancelled"},
		{"", "campaign delete 42 --yes", "", ""},
	} {
		seen, err := typed(t, server, step.answer, strings.Fields(step.args)...)
		declined := strings.HasPrefix(strings.ToLower(step.answer), "n")
		if (err != nil) != declined || declined && err != errDeclined { //nolint:errorlint // it is not wrapped
			t.Errorf("%s: %v", step.args, err)
		}
		if !strings.Contains(seen, step.asked) || strings.Contains(seen, "[y/N]") != (step.answer != "") {
			t.Errorf("%s: the person saw %q, want %q", step.args, seen, step.asked)
		}
		if state() != step.after {
			t.Errorf("%s: the campaign is %q, want %q", step.args, state(), step.after)
		}
	}
	if server.Exists("{notification:responses}:dead") {
		t.Error("the dead letters are left")
	}
}
