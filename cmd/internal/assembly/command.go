package assembly

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/terminal"
)

// refuseArguments returns a usage error for any argument. If the argument may be a campaign, the
// error suggests the flag.
func refuseArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := fmt.Errorf("unexpected argument %q", args[0])
	if len(args) == 1 && command.Flags().Lookup("campaign") != nil {
		err = fmt.Errorf("%w; for one campaign: %s --campaign %s", err, command.Name(), args[0])
	}
	return newUsageError(command, err)
}

func newUsageError(command *cobra.Command, err error) error {
	err = ExplainFlag(err)
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%w; see %s --help", err, command.Name()))
}

// ExplainFlag replaces the error of an unknown flag if it is a secret setting, which has no flag on
// purpose.
func ExplainFlag(err error) error {
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return err
	}
	name := unknown.GetSpecifiedName()
	if reason := config.SecretFlag(name); reason != "" {
		return fmt.Errorf("--%s %s", name, reason)
	}
	return err
}

// ReportError prints a program's error and returns its exit code. It prints nothing if a reader
// such as head closed the output.
func ReportError(w io.Writer, name string, err error) int {
	if lost, ok := errors.AsType[*terminal.WriteError](err); err != nil && (!ok || !lost.IsBrokenPipe()) {
		fmt.Fprintf(w, "%s: %s\n", name, indentRest(daemon.Scrub(err.Error())))
	}
	return daemon.ExitCode(err)
}

// indentRest indents all lines but the first. So a quoted line cannot pass for a message of its
// own.
func indentRest(text string) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if i > 0 && !strings.HasPrefix(line, " ") {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n")
}

// CheckOutput returns a fault if output was lost, even if the command itself succeeded.
func CheckOutput(err error, outputs ...*terminal.Output) error {
	for _, output := range outputs {
		if lost := output.Err(); lost != nil && err == nil {
			err = daemon.WithExitCode(daemon.ExitFault, fmt.Errorf("%w; the other work of the command is done", lost))
		}
	}
	return err
}
