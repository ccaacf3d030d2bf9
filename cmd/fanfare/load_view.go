package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"fanfare/internal/audience"
	"fanfare/internal/campaign"
	"fanfare/internal/daemon"
	"fanfare/internal/operator"
)

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

// showLoad prints the summary of a load, and the next step after one that is done. unit is what the
// source has of each recipient, such as a line.
func (c *cli) showLoad(ctx context.Context, command *cobra.Command, op *operator.Operator, id, unit string, summary operator.LoadSummary, done bool) error {
	next := ""
	if done {
		next = nextStep(ctx, op, id)
	}
	return c.output(command).show(summary, func(w io.Writer) {
		printSummary(w, id, unit, summary)
		if summary.Warning != "" {
			fmt.Fprintln(w, indent(w, "warning: ", printable(summary.Warning)+"; see fanfare campaign check "+shellWord(id)))
		}
		if next != "" {
			fmt.Fprintf(w, "next: %s\n", next)
		}
	})
}

// holdText says what a load that is held back waits for.
func holdText(ctx context.Context, op *operator.Operator, id string, n int64, state campaign.State) string {
	text := operator.Thousands(n) + " recipients wait in Redis; "
	if view, err := op.Show(ctx, id); err == nil && view.HasWaves() {
		text += "with time rules they may wait for their windows, and those behind them are late: sort the audience by time zone, or give a larger --hold; "
	}
	switch state {
	case campaign.Running, campaign.Completed:
		return text + "the load continues as they are sent"
	case campaign.Paused:
		return text + "resume the campaign with fanfare campaign resume " + shellWord(id) + ", and the load continues"
	case campaign.Draft:
		return text + "start the campaign with fanfare campaign start " + shellWord(id) + ", and the load continues"
	}
	return text + "create the campaign with fanfare campaign create " + shellWord(id) + " --message FILE, start it, and the load continues"
}

// explainLoad says why nothing was loaded, and what would help.
func explainLoad(id, name string, err error) error {
	if file, ok := errors.AsType[*audience.FileError](err); ok {
		return nameFile(name, file)
	}
	if busy, ok := errors.AsType[*campaign.BusyError](err); ok {
		return busy
	}
	if over, ok := errors.AsType[*campaign.TransitionError](err); ok {
		return fmt.Errorf("campaign %s is %s, and accepts no more recipients", printable(id), over.From)
	}
	if other, ok := errors.AsType[*campaign.OtherBeginningError](err); ok {
		return fmt.Errorf("%s: %w: load that one again; or if recipients at the end of this one are missing, add them with --append --skip N", printable(name), other)
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
func nameFile(name string, e *audience.FileError) error {
	return daemon.WithExitCode(daemon.ExitUsage, fmt.Errorf("%s: %s", printable(cmp.Or(e.File, name)), e.Problem))
}

// explainInterruptedLoad adds the command that continues the load of a source, unless the campaign
// has ended or is deleted.
func explainInterruptedLoad(broken *operator.InterruptedError, id, source string, opts operator.LoadOptions) error {
	if _, over := errors.AsType[*campaign.TransitionError](broken); over || errors.Is(broken, campaign.ErrDeleted) {
		return broken
	}
	if file, ok := errors.AsType[*audience.FileError](broken); ok && file.Damaged {
		return fmt.Errorf("%w; do not continue it: fanfare campaign delete %s removes them, after fanfare campaign cancel %[2]s if it runs", broken, shellWord(id))
	}
	typed := "fanfare load " + shellWord(id)
	if opts.Of.IsZero() {
		typed += " " + source + whereFlag(opts)
	}
	if _, repeated := errors.AsType[*audience.KeyError](broken); repeated {
		return explainRepeatedKey(broken, id, typed, opts)
	}
	err := fmt.Errorf("%w; continue with: %s", broken, typed)
	if opts.Hold != 0 && opts.Hold != operator.DefaultHold {
		err = fmt.Errorf("%w --hold %d", err, opts.Hold)
	}
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

// explainRepeatedKey names the ways out of a load that its key cannot continue: unique values, or
// another key for the rest. Recipients who come again then are sent to once.
func explainRepeatedKey(broken *operator.InterruptedError, id, typed string, opts operator.LoadOptions) error {
	err := fmt.Errorf("%w; correct the rows and continue with: %s", broken, typed)
	if opts.Append {
		err = fmt.Errorf("%w --append", err)
	}
	word := shellWord(id)
	if opts.Of.IsZero() {
		return namePart(id, opts, fmt.Errorf("%w; or load all by another --key with --append, and start it with fanfare campaign start %s --partial", err, word))
	}
	return namePart(id, opts, fmt.Errorf("%w; or give it another key with fanfare campaign set %s --source JSON --partial, and load all with fanfare load %[2]s --append", err, word))
}

// printSummary prints what was loaded of an audience whose units have a noun, such as line.
func printSummary(w io.Writer, id, noun string, s operator.LoadSummary) {
	fmt.Fprintln(w, indent(w, "", fmt.Sprintf("loaded %s into campaign %s in %s (%s a second); %s rejected", plural(s.Loaded, "recipient"),
		printable(id), s.Took.Round(time.Millisecond), operator.Thousands(perSecond(s.Loaded, s.Took.Duration)), plural(s.Rejected, noun))))
	if s.Passed > 0 {
		fmt.Fprintf(w, "%s before them were loaded already, by a load that was interrupted\n", plural(s.Passed, "recipient"))
	}
	if s.CountLeftOut() > 0 {
		fmt.Fprintf(w, "left out: %s\n", s.LeftOut)
	}
	printRows(w, s)
}

// printRejected prints the first rejected lines, and how many there are beyond them.
func printRejected(w io.Writer, rows []audience.RowError, rejected int64) {
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
