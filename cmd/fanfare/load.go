package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/cmd/internal/sending"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

func (c *cli) load() *cobra.Command {
	var opts operator.LoadOptions
	var form fileForm
	var source loadSource
	command := &cobra.Command{
		Use:   "load CAMPAIGN FILE|-",
		Short: "Load an audience (CSV, NDJSON or a JSON array) into a campaign's list",
		Long: `Load an audience into a campaign's list, before or after the campaign is created or started.

CSV names its columns in the first line: userId, and optionally fcmToken, fid, tag, platform, locale, timeZone and quietHours; every other column
fills the message's placeholder of its name. That line also shows whether commas, semicolons, tabs or bars separate them. NDJSON has one recipient
a line, as in the list itself; or a JSON array holds them all. Files compressed with gzip or zstd are opened, UTF-16 is read.
Lines that are not recipients are rejected and listed. An audience that is there already is refused without --append. A load that
was interrupted, or killed, continues with the same command: recipients that are loaded already are skipped.

With --from, the audience is the users of another campaign's outcomes in SQL, each once. Their tokens are looked up again.`,
		Example: `  fanfare load 42 audience.csv
  fanfare load 42 audience.csv.gz
  zcat audience.ndjson.gz | fanfare load 42 -
  fanfare load 43 --from 42 --status failed --code UNAVAILABLE`,
		Args:              source.args,
		ValidArgsFunction: c.completeLoad,
		RunE: func(command *cobra.Command, args []string) error {
			if source.campaign != "" {
				return c.loadOutcomes(command, source, args[0], opts)
			}
			if err := checkRange(command, "skip", opts.Skip, 0, maxSkip); err != nil {
				return err
			}
			var err error
			if opts.Format, opts.Separator, err = form.resolve(command, args[1]); err != nil {
				return err
			}
			return c.with(command, func(ctx context.Context, rooms *sending.Rooms, op *operator.Operator) error {
				opts.MaxElement = int(rooms.Settings.Queue.MaxElement)
				return c.loadFile(ctx, command, op, args[0], args[1], opts)
			})
		},
	}
	f := command.Flags()
	f.BoolVar(&opts.Append, "append", false, "add to an audience that is there already")
	f.Int64Var(&opts.Skip, "skip", 0, "skip the first `n` recipients of the file, whatever an interrupted load had loaded")
	form.addTo(f)
	source.addTo(f)
	return command
}

// loadFile loads one file with a progress bar. It prints the summary even if the load broke off.
func (c *cli) loadFile(ctx context.Context, command *cobra.Command, op *operator.Operator, id, name string, opts operator.LoadOptions) error {
	file, err := openInput(command, name)
	if err != nil {
		return err
	}
	defer file.Close()
	bar := newFileBar(command.ErrOrStderr(), file, "loading", "recipient")
	opts.Progress = bar.count
	summary, err := op.Load(ctx, id, bar, opts)
	bar.clear()
	broken, begun := errors.AsType[*operator.InterruptedError](err)
	begun = begun && broken.Done+broken.Unsure > 0
	if err != nil && !begun && summary.Rejected == 0 {
		return explainLoad(id, name, err)
	}
	next := ""
	if err == nil {
		next = nextStep(ctx, op, id)
	}
	shown := c.output(command).show(summary, func(w io.Writer) {
		printSummary(w, id, summary)
		if next != "" {
			fmt.Fprintf(w, "next: %s\n", next)
		}
	})
	if begun {
		return explainInterruptedLoad(broken, id, name, opts)
	}
	if errors.Is(err, operator.ErrNoRecipient) && opts.Format == operator.NDJSON {
		return fmt.Errorf("%s: %w; if it is CSV, give --format csv", printable(name), err)
	} else if err != nil {
		return fmt.Errorf("%s: %w", printable(name), err)
	}
	return shown
}

// nextStep returns the next command for a loaded audience. It is empty if there is none or it is
// unknown.
func nextStep(ctx context.Context, op *operator.Operator, id string) string {
	view, err := op.Show(ctx, id)
	switch {
	case err != nil || view.Err != nil:
		return ""
	case view.Spec.State == "":
		return createHint(id)
	case view.Spec.State == campaign.Draft:
		return fmt.Sprintf("fanfare campaign check %s, then fanfare campaign start %[1]s", shellWord(id))
	}
	return ""
}

// explainLoad says why nothing was loaded, and what would help.
func explainLoad(id, name string, err error) error {
	if file, ok := errors.AsType[*operator.FileError](err); ok {
		return nameFile(name, file)
	}
	if over, ok := errors.AsType[*campaign.TransitionError](err); ok {
		return fmt.Errorf("campaign %s is %s, and accepts no more recipients", printable(id), over.From)
	}
	switch {
	case errors.Is(err, campaign.ErrAudienceExists):
		return fmt.Errorf("campaign %s has an audience, or another load has just begun; to add to it, give --append", printable(id))
	case errors.Is(err, campaign.ErrOtherAudience):
		return fmt.Errorf("%s: %w; to add it all the same, give --append --skip N", printable(name), campaign.ErrOtherAudience)
	}
	return explainCampaign(id, err)
}

// nameFile puts the file's name before its problem.
func nameFile(name string, e *operator.FileError) error {
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%s: %s", printable(name), e.Problem))
}

// explainInterruptedLoad adds the command that continues the load, unless the campaign has ended or
// is deleted.
func explainInterruptedLoad(broken *operator.InterruptedError, id, name string, opts operator.LoadOptions) error {
	if _, over := errors.AsType[*campaign.TransitionError](broken); over || errors.Is(broken, campaign.ErrDeleted) {
		return broken
	}
	err := fmt.Errorf("%w; continue with: fanfare load %s %s%s", broken, shellWord(id), shellWord(name), formFlags(name, opts))
	if opts.Skip > 0 {
		err = fmt.Errorf("%w --append --skip %d", err, broken.Done)
	} else if opts.Append {
		err = fmt.Errorf("%w --append", err)
	}
	if opts.Skip > 0 && broken.Unsure > 0 {
		err = fmt.Errorf("%w (up to %d recipients may then be in twice)", err, broken.Unsure)
	}
	if errors.Is(err, context.Canceled) {
		return daemon.WithExitCode(daemon.ExitLeftover, err)
	}
	return err
}

// formFlags returns the flags for the file's format, unless its name implies them.
func formFlags(name string, opts operator.LoadOptions) string {
	switch {
	case opts.Separator == '\t':
		return " --separator tab"
	case opts.Separator != 0:
		return " --separator " + shellWord(string(opts.Separator))
	case opts.Format != operator.Sniffed && opts.Format != operator.FormatOf(name):
		return " --format " + string(opts.Format)
	}
	return ""
}

func printSummary(w io.Writer, id string, s operator.LoadSummary) {
	fmt.Fprintln(w, indent(w, "", fmt.Sprintf("loaded %s into campaign %s in %s (%s a second); %s rejected", plural(s.Loaded, "recipient"),
		printable(id), s.Took.Round(time.Millisecond), operator.Thousands(perSecond(s.Loaded, s.Took)), plural(s.Rejected, "line"))))
	if s.Passed > 0 {
		fmt.Fprintf(w, "%s before them were loaded already, by a load that was interrupted\n", plural(s.Passed, "recipient"))
	}
	printRows(w, s)
}

// printRejected prints the first rejected lines, and how many there are beyond them.
func printRejected(w io.Writer, rows []operator.RowError, rejected int64) {
	for _, row := range rows {
		fmt.Fprintln(w, indent(w, "  ", printable(row.Error())))
	}
	if more := rejected - int64(len(rows)); more > 0 {
		fmt.Fprintf(w, "  and %s more\n", operator.Thousands(more))
	}
}

// printRows prints the rejected lines and the hints of a file.
func printRows(w io.Writer, summary operator.LoadSummary) {
	printRejected(w, summary.Errors, summary.Rejected)
	for _, hint := range summary.Hints {
		fmt.Fprintln(w, indent(w, "hint: ", printable(hint)))
	}
}
