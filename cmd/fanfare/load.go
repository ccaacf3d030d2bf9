package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"fanfare/cmd/internal/wire"
	"fanfare/internal/operator"
)

func (c *cli) load() *cobra.Command {
	var opts operator.LoadOptions
	format := ""
	command := &cobra.Command{
		Use:   "load CAMPAIGN FILE|-",
		Short: "Load an audience (CSV or NDJSON) into a campaign's list",
		Long: `Load an audience into a campaign's list.

CSV names its columns in the first line: userId, and optionally fcmToken, locale and timeZone; every other column
fills the message's placeholder of its name. NDJSON has one recipient a line, as in the list itself.
Lines that are no recipients are left out and named. An audience that is there already is refused without --append.`,
		Args: cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			return c.with(command, func(ctx context.Context, _ *wire.Rooms, op *operator.Operator) error {
				opts.Format = formatOf(format, args[1])
				return c.loadFile(ctx, command, op, args[0], args[1], opts)
			})
		},
	}
	command.Flags().BoolVar(&opts.Append, "append", false, "add to an audience that is there already")
	command.Flags().Int64Var(&opts.SkipRows, "skip", 0, "pass over the first so many recipients: those that an interrupted load had loaded")
	command.Flags().StringVar(&format, "format", "", "csv or ndjson; else by the file's name")
	return command
}

// loadFile loads one file with a progress bar, and prints the summary even of a load that broke off.
func (c *cli) loadFile(ctx context.Context, command *cobra.Command, op *operator.Operator, id, name string, opts operator.LoadOptions) error {
	file, err := openInput(command, name)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := newLoadBar(command.ErrOrStderr())
	opts.Progress = func(loaded int64) { _ = bar.Set64(loaded) } // a bar that cannot be drawn is no reason to stop
	summary, err := op.Load(ctx, id, file, opts)
	_ = bar.Finish()
	if summary.Loaded == 0 && err != nil {
		return err
	}
	shown := c.output(command).show(summary, func(w io.Writer) {
		rate := int64(float64(summary.Loaded) / max(summary.Took.Seconds(), 1e-3))
		fmt.Fprintf(w, "loaded %s recipients into campaign %s in %s (%s a second), %s lines rejected\n",
			thousands(summary.Loaded), id, summary.Took.Round(time.Millisecond), thousands(rate), thousands(summary.Rejected))
		printRows(w, summary)
	})
	if err != nil {
		return err
	}
	return shown
}

// newLoadBar counts without a total, for the audience may come from a pipe; it draws on terminals only.
func newLoadBar(w io.Writer) *progressbar.ProgressBar {
	file, ok := w.(*os.File)
	return progressbar.NewOptions64(-1,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription("loading"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("recipients"),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetVisibility(ok && term.IsTerminal(int(file.Fd()))),
	)
}

// printRows names the lines that were left out.
func printRows(w io.Writer, summary operator.LoadSummary) {
	for _, row := range summary.Errors {
		fmt.Fprintf(w, "  %v\n", row)
	}
	if more := summary.Rejected - int64(len(summary.Errors)); more > 0 {
		fmt.Fprintf(w, "  and %s more\n", thousands(more))
	}
}

// openInput opens a file, or standard input for "-".
func openInput(command *cobra.Command, name string) (io.ReadCloser, error) {
	if name == "-" {
		return io.NopCloser(command.InOrStdin()), nil
	}
	return os.Open(name)
}

func formatOf(flag, name string) operator.Format {
	if flag != "" {
		return operator.Format(flag)
	}
	return operator.FormatOf(name)
}
