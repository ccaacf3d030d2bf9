package assembly

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"github.com/spf13/cobra"

	"fanfare/internal/daemon"
	"fanfare/internal/terminal"
)

// failingWriter fails every write.
type failingWriter struct{ err error }

func (b failingWriter) Write([]byte) (int, error) { return 0, b.err }

// Lost output is a fault. An error of the command itself says more, so it takes precedence.
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

// A quoted line cannot pass for a message of its own.
func TestFurtherLinesOfAnErrorAreIndented(t *testing.T) {
	const want = "faults:\n  field: wrong\n  fanfare: all is well"
	if got := indentRest("faults:\n  field: wrong\nfanfare: all is well"); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// An operator who forgets the flag learns its name.
func TestUnexpectedArgumentsAreExplained(t *testing.T) {
	command := &cobra.Command{Use: "dispatcher"}
	command.Flags().String("campaign", "", "")
	if err := refuseArguments(command, nil); err != nil {
		t.Error(err)
	}
	const plain = `unexpected argument "42"`
	for want, args := range map[string][]string{
		plain + "; for one campaign: dispatcher --campaign 42; see dispatcher --help": {"42"},
		plain + "; see dispatcher --help":                                             {"42", "43"},
	} {
		if err := refuseArguments(command, args); err == nil || err.Error() != want || daemon.ExitCode(err) != daemon.ExitUsage {
			t.Errorf("%v: got %v, want %s", args, err, want)
		}
	}
}
