package terminal

import (
	"bufio"
	"bytes"
	"os"
	"strings"
	"syscall"
	"testing"
)

// The test reads the kernel's echo of a terminal, which shows an escape as ^[.
func TestOnlyTerminalsAreDrawnOn(t *testing.T) {
	for env, want := range map[[2]string]string{
		{"", "xterm"}: "^[[34mrunning^[[m^[[1mCampaign 42^[[m", {"1", "xterm"}: "runningCampaign 42", {"", "dumb"}: "runningCampaign 42",
	} {
		t.Setenv("NO_COLOR", env[0])
		t.Setenv("TERM", env[1])
		tty, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer tty.Close()
		out := New(tty)
		Paint(out, Blue, "running")
		Heading(out, "Campaign 42")
		echo, err := bufio.NewReader(tty).ReadString('\n')
		if got := strings.TrimSpace(echo); got != want || err != nil || out.Err() != nil || !Is(out) {
			t.Errorf("%q: got %q, %v, want %q", env, got, err, want)
		}
	}
	var file bytes.Buffer
	if Heading(New(&file), "Campaign 42"); file.String() != "Campaign 42\n" || Is(New(&file)) || Columns(&file) != 0 {
		t.Errorf("a file holds %q", file.String())
	}
}
