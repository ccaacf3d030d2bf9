// Command fanfare is the operator's command line: campaigns, audiences, tokens, dead letters, checks, and the demo.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9/logging"
	"github.com/spf13/cobra"

	"fanfare/cmd/internal/assembly"
	"fanfare/cmd/internal/sending"
	"fanfare/internal/config"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
	"fanfare/internal/terminal"
)

func main() { os.Exit(run()) }

func run() int {
	logging.Disable() // what the client has to say comes back as errors
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	out, errs := terminal.Stdout(), terminal.Stderr()
	err := explain(newRoot(out, errs).ExecuteContext(ctx))
	return assembly.ReportError("fanfare", assembly.CheckOutput(err, out, errs))
}

// readSettings reads the settings, and warns of what is dangerous about them.
func (c *cli) readSettings(command *cobra.Command) (config.Settings, error) {
	s, err := assembly.LoadSettings(c.file, command.Flags())
	for _, warning := range s.Warnings() {
		fmt.Fprintln(command.ErrOrStderr(), "fanfare: warning:", warning)
	}
	return s, err
}

// with opens the rooms for one command and closes them after it.
func (c *cli) with(command *cobra.Command, do func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error) error {
	s, err := c.readSettings(command)
	if err != nil {
		return err
	}
	log, err := daemon.NewLogger(command.ErrOrStderr(), s.Log.Level, s.Log.Format)
	if err != nil {
		return daemon.WithExitCode(daemon.ExitUsage, err)
	}
	rooms, err := sending.Open(command.Context(), s, "fanfare", log, nil)
	if err != nil {
		return err
	}
	err = do(command.Context(), rooms, rooms.NewOperator())
	if closed := rooms.Close(); closed != nil && err == nil {
		err = fmt.Errorf("close: %w", closed)
	}
	return err
}
