package assembly

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"fanfare/internal/daemon"
	"fanfare/internal/terminal"
)

// broken takes nothing.
type failingWriter struct{ err error }

func (b failingWriter) Write([]byte) (int, error) { return 0, b.err }

// An output that was lost is a fault; what failed besides says more, and stays.
func TestLostOutputIsAFault(t *testing.T) {
	whole := terminal.New(io.Discard)
	lost := terminal.New(failingWriter{syscall.ENOSPC})
	for _, output := range []*terminal.Output{whole, lost} {
		_, _ = io.WriteString(output, "text")
	}
	usage := daemon.WithExitCode(daemon.ExitUsage, errors.New("wrong"))
	for name, c := range map[string]struct {
		err     error
		outputs []*terminal.Output
		want    int
	}{
		"nothing is lost":    {nil, []*terminal.Output{whole, whole}, daemon.ExitOK},
		"the first is lost":  {nil, []*terminal.Output{lost, whole}, daemon.ExitFault},
		"the second is lost": {nil, []*terminal.Output{whole, lost}, daemon.ExitFault},
		"wrong usage, too":   {usage, []*terminal.Output{lost}, daemon.ExitUsage},
	} {
		if got := daemon.ExitCode(CheckOutput(c.err, c.outputs...)); got != c.want {
			t.Errorf("%s: exit code %d, want %d", name, got, c.want)
		}
	}
}

// What an error quotes cannot pass for a message of its own.
func TestFurtherLinesOfAnErrorAreIndented(t *testing.T) {
	const want = "faults:\n  field: wrong\n  fanfare: all is well"
	if got := indentRest("faults:\n  field: wrong\nfanfare: all is well"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
